import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../sim/random.ts'
import { FAULT_WEIGHTS, schedule, type Episode } from './schedule.ts'

function episodes(seed: number, count: number, ids: readonly number[] = [1, 2, 3]): readonly Episode[] {
  const all = schedule({
    random: new Random(seed),
    ids,
    durationMs: { min: 2_000, max: 10_000 },
    quietMs: { min: 1_000, max: 2_000 },
  })
  return Array.from({ length: count }, () => all.next().value)
}

test('the same seed makes the same faults, another one others', () => {
  assert.deepEqual(episodes(7, 100), episodes(7, 100))
  assert.notDeepEqual(episodes(7, 100), episodes(8, 100))
})

test('each kind comes before any comes again', () => {
  const kinds = Object.keys(FAULT_WEIGHTS)
  for (let seed = 0; seed < 20; seed++) {
    const first = episodes(seed, kinds.length).map(({ faults }) => faults[0]!.kind)
    assert.deepEqual(first.toSorted(), kinds.toSorted())
  }
})

test('faults hit brokers that are there, last as long as allowed, and come one or two at once', () => {
  const ids = [1, 2, 3, 4, 5]
  const all = episodes(1, 500, ids)
  for (const { faults, durationMs, quietMs } of all) {
    assert.ok(durationMs >= 2_000 && durationMs < 10_000)
    assert.ok(quietMs >= 1_000 && quietMs < 2_000)
    for (const { kind, brokers } of faults) {
      assert.ok(brokers.every((id) => ids.includes(id)))
      assert.equal(new Set(brokers).size, brokers.length)
      const expected = kind === 'kill-all' ? 5 : /majority/.test(kind) ? 3 : /cut|slow/.test(kind) ? 2 : 1
      assert.equal(brokers.length, expected, kind)
    }
  }
  const double = all.filter(({ faults }) => faults.length === 2).length
  assert.ok(double > 50 && double < 250, `${double} of 500 are double`)
})
