import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Random } from '../sim/random.ts'
import { checkHistory } from './check-history.ts'
import { ANOMALIES, type AnomalyName } from './findings.ts'
import { MUTATIONS } from './mutations.ts'
import { randomHistory } from './random-history.ts'

const RUNS = 200

test('finds nothing in random clean histories', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const { anomalies } = checkHistory(randomHistory(seed))
      assert.deepEqual([...anomalies], [])
    }),
    { numRuns: RUNS },
  )
})

test('has a mutation for every anomaly', () => {
  assert.deepEqual(Object.keys(MUTATIONS).sort(), Object.keys(ANOMALIES).sort())
})

for (const [name, mutate] of Object.entries(MUTATIONS)) {
  test(`finds ${name} in random histories that were spoiled in that one way`, () => {
    let spoiledCount = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const spoiled = mutate(randomHistory(seed), new Random(seed).fork('mutation'))
        if (spoiled === undefined) return
        spoiledCount++
        const { anomalies } = checkHistory(spoiled)
        assert.ok(anomalies.has(name as AnomalyName), `found only ${[...anomalies.keys()].join(', ')}`)
      }),
      { numRuns: RUNS },
    )
    assert.ok(spoiledCount > RUNS / 2, `Only ${spoiledCount} histories could be spoiled.`)
  })
}
