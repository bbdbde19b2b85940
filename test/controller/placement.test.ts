import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brokerId, type BrokerId } from '../../src/types/ids.ts'
import { SynodError } from '../../src/errors.ts'
import { place, type BrokerLoad } from '../../src/controller/placement.ts'

function broker(id: number, failureDomain: string, replicaCount = 0, leaderCount = 0): BrokerLoad {
  return { id: brokerId(id), failureDomain, replicaCount, leaderCount }
}

/** `domainCount` domains of `size` brokers each. */
function evenCluster(domainCount: number, size: number): BrokerLoad[] {
  return Array.from({ length: domainCount * size }, (_, index) =>
    broker(index + 1, `d${index % domainCount}`),
  )
}

function countBy(ids: readonly BrokerId[], brokers: readonly BrokerLoad[]): number[] {
  return brokers.map(({ id }) => ids.filter((each) => each === id).length)
}

function spread(counts: readonly number[]): number {
  return Math.max(...counts) - Math.min(...counts)
}

const seed = fc.integer({ min: 0, max: 0xffffffff })
const anyCluster = fc
  .array(fc.record({ domain: fc.nat(4), replicaCount: fc.nat(20), leaderShare: fc.nat(20) }), {
    minLength: 1,
    maxLength: 9,
  })
  .map((made) =>
    made.map((each, index) =>
      broker(index + 1, `d${each.domain}`, each.replicaCount, Math.min(each.leaderShare, each.replicaCount)),
    ),
  )

test('replicas are on different brokers, in as many failure domains as there can be', () => {
  fc.assert(
    fc.property(
      anyCluster,
      fc.integer({ min: 1, max: 20 }),
      fc.nat(6),
      seed,
      (brokers, partitionCount, factor, with_) => {
        const replicationFactor = 1 + (factor % Math.min(7, brokers.length))
        const placed = place({ partitionCount, replicationFactor, brokers, seed: with_ })
        assert.equal(placed.length, partitionCount)
        const domainOf = new Map(brokers.map((each) => [each.id, each.failureDomain]))
        const domainCount = new Set(domainOf.values()).size
        for (const replicas of placed) {
          assert.equal(new Set(replicas).size, replicationFactor)
          const domains = new Set(replicas.map((id) => domainOf.get(id)))
          assert.equal(domains.size, Math.min(domainCount, replicationFactor))
        }
      },
    ),
  )
})

test('a fresh cluster with equal domains carries replicas and leaders evenly, within one', () => {
  const shape = fc.record({
    domainCount: fc.integer({ min: 1, max: 5 }),
    size: fc.integer({ min: 1, max: 4 }),
  })
  fc.assert(
    fc.property(
      shape,
      fc.integer({ min: 1, max: 60 }),
      fc.nat(6),
      seed,
      ({ domainCount, size }, partitionCount, factor, with_) => {
        const brokers = evenCluster(domainCount, size)
        const replicationFactor = 1 + (factor % Math.min(7, brokers.length))
        const placed = place({ partitionCount, replicationFactor, brokers, seed: with_ })
        assert.ok(spread(countBy(placed.flat(), brokers)) <= 1, 'replicas')
        assert.ok(
          spread(
            countBy(
              placed.map((replicas) => replicas[0]!),
              brokers,
            ),
          ) <= 1,
          'leaders',
        )
      },
    ),
    { numRuns: 300 },
  )
})

test('topics created one after the other fill a cluster as evenly as one would', () => {
  let brokers = evenCluster(3, 2)
  for (let topic = 0; topic < 50; topic++) {
    const placed = place({ partitionCount: 1, replicationFactor: 3, brokers, seed: topic })
    const replicas = countBy(placed.flat(), brokers)
    const leaders = countBy(
      placed.map((each) => each[0]!),
      brokers,
    )
    brokers = brokers.map((each, index) => ({
      ...each,
      replicaCount: each.replicaCount + replicas[index]!,
      leaderCount: each.leaderCount + leaders[index]!,
    }))
  }
  assert.ok(spread(brokers.map((each) => each.replicaCount)) <= 1)
  assert.ok(spread(brokers.map((each) => each.leaderCount)) <= 1)
})

test('a broker that is new takes its share first', () => {
  const brokers = [broker(1, 'a', 10, 5), broker(2, 'b', 10, 5), broker(3, 'c', 0, 0)]
  const placed = place({ partitionCount: 4, replicationFactor: 2, brokers, seed: 1 })
  assert.ok(placed.every((replicas) => replicas[0] === 3))
})

test('who is second, and so takes over first, differs among the partitions of a leader', () => {
  const brokers = evenCluster(5, 1)
  const placed = place({ partitionCount: 100, replicationFactor: 3, brokers, seed: 7 })
  assert.ok(
    spread(
      countBy(
        placed.map((replicas) => replicas[1]!),
        brokers,
      ),
    ) <= 10,
  )
  const heirs = new Set(placed.filter((replicas) => replicas[0] === 1).map((replicas) => replicas[1]))
  assert.equal(heirs.size, 4)
})

test('the same request gives the same placement, another seed another one', () => {
  const request = { partitionCount: 20, replicationFactor: 3, brokers: evenCluster(5, 1), seed: 9 }
  assert.deepEqual(place(request), place({ ...request, brokers: [...request.brokers].reverse() }))
  assert.notDeepEqual(place(request), place({ ...request, seed: 10 }))
})

test('too few brokers are an error that says how many there are', () => {
  assert.throws(
    () => place({ partitionCount: 1, replicationFactor: 3, brokers: evenCluster(2, 1), seed: 0 }),
    (error: unknown) =>
      error instanceof SynodError && error.code === 'not-enough-brokers' && error.facts['brokers'] === 2,
  )
})
