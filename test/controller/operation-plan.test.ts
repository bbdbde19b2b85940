import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brokerId, topicId, type BrokerId } from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG, type Topic } from '../../src/types/topic.ts'
import { controllerVoters, isStuck, planChanges, type Picture } from '../../src/controller/operation-plan.ts'
import { placedOn } from './command-arbitrary.ts'

const ids = (...numbers: number[]) => numbers.map(brokerId)

interface Scene {
  readonly partitions: readonly (readonly number[])[]
  /** Brokers that may get replicas, by their failure domains. */
  readonly brokers: Readonly<Record<number, string>>
  readonly dead?: readonly number[]
}

function pictureOf({ partitions, brokers, dead = [] }: Scene): Picture {
  const topic: Topic = {
    id: topicId('t1'),
    name: 'a',
    config: DEFAULT_TOPIC_CONFIG,
    partitions: partitions.map((replicas, index) => placedOn(index, index + 1, ...replicas)),
    createdAtMs: 0,
    revision: 1,
  }
  return {
    topics: () => [topic],
    loads: Object.entries(brokers).map(([id, failureDomain]) => ({
      id: brokerId(Number(id)),
      failureDomain,
      replicaCount: partitions.filter((replicas) => replicas.includes(Number(id))).length,
      leaderCount: 0,
    })),
    failureDomainOf: (broker) => brokers[broker],
    isAlive: (broker) => !dead.includes(broker),
  }
}

const drain = (broker: number) => ({ kind: 'drain-broker', broker: brokerId(broker) }) as const
const targets = (scene: Scene, countMax = 8) =>
  planChanges(drain(1), pictureOf(scene), countMax).map(({ target }) => target)

test('each replica goes to the least loaded live broker, and what was planned a moment ago counts', () => {
  const brokers = { 2: 'b', 3: 'c', 4: 'd', 5: 'e', 6: 'f' }
  const partitions = [
    [1, 2, 3],
    [2, 1, 3],
    [1, 2, 3],
    [2, 3, 4],
  ]
  assert.deepEqual(targets({ brokers, partitions, dead: [6] }), [ids(5, 2, 3), ids(2, 4, 3), ids(5, 2, 3)])
  assert.equal(targets({ brokers, partitions }, 2).length, 2)
})

test('replicas stay in different failure domains as long as there is one', () => {
  const brokers = { 2: 'x', 3: 'y', 4: 'x', 5: 'z' }
  assert.deepEqual(targets({ brokers, partitions: [[1, 2, 3], [5, 3], [5, 1, 3], [5]] }), [
    ids(5, 2, 3),
    ids(5, 4, 3),
  ])
  assert.deepEqual(targets({ brokers: { 2: 'x', 3: 'y', 4: 'x' }, partitions: [[1, 2, 3]] }), [ids(4, 2, 3)])
})

test('with nobody to go to a replica waits, and a broker that is gone for good is done without', () => {
  const scene = { brokers: { 2: 'x', 3: 'y' }, partitions: [[1, 2, 3], [1]] }
  assert.deepEqual(targets(scene), [ids(2)])
  assert.equal(isStuck(drain(1), pictureOf(scene)), true)
  assert.equal(isStuck(drain(1), pictureOf({ ...scene, brokers: { 2: 'x', 3: 'y', 4: 'z' } })), false)
  const forced = { kind: 'remove-broker', broker: brokerId(1), isForced: true } as const
  assert.deepEqual(
    planChanges(forced, pictureOf(scene), 8).map(({ target }) => target),
    [ids(2, 3), ids(2)],
  )
  assert.deepEqual(targets({ ...scene, brokers: { 2: 'x', 3: 'y', 4: 'z' }, dead: [4] }), [ids(2)])
})

function voters(now: {
  voters: readonly number[]
  staying: readonly number[]
  self?: number
  dead?: readonly number[]
}) {
  return controllerVoters({
    voters: ids(...now.voters),
    staying: ids(...now.staying),
    self: brokerId(now.self ?? now.voters[0]!),
    isAlive: (broker: BrokerId) => !(now.dead ?? []).includes(broker),
  })
}

test('the metadata has one, two, three or five voters as the cluster grows, and founders keep their votes', () => {
  assert.equal(voters({ voters: [1], staying: [1] }), undefined)
  assert.deepEqual(voters({ voters: [1], staying: [1, 2] }), ids(1, 2))
  assert.deepEqual(voters({ voters: [1, 2], staying: [1, 2, 3] }), ids(1, 2, 3))
  assert.equal(voters({ voters: [1, 2, 3], staying: [1, 2, 3, 4] }), undefined)
  assert.deepEqual(voters({ voters: [1, 2, 3], staying: [1, 2, 3, 4, 5, 6] }), ids(1, 2, 3, 4, 5))
  assert.equal(voters({ voters: [1, 2, 3, 4, 5, 6, 7], staying: [1, 2, 3, 4, 5, 6, 7] }), undefined)
  assert.equal(voters({ voters: [1, 2, 3, 4], staying: [1, 2, 3, 4] }), undefined)
})

test('who leaves is replaced by a live broker, or the number of voters falls to the next odd one', () => {
  assert.deepEqual(voters({ voters: [1, 2, 3], staying: [1, 3, 4, 5] }), ids(1, 3, 4))
  assert.deepEqual(voters({ voters: [1, 2, 3], staying: [1, 3, 4, 5], dead: [4] }), ids(1, 3, 5))
  assert.deepEqual(voters({ voters: [1, 2, 3], staying: [1, 3] }), ids(1, 3))
  assert.deepEqual(voters({ voters: [1, 2, 3, 4, 5], staying: [1, 2, 3, 5], self: 5 }), ids(1, 2, 5))
  assert.deepEqual(voters({ voters: [1, 2, 3], staying: [2, 3, 4], dead: [4] }), ids(2, 3))
})

test('no voter is one that leaves, whatever the cluster, and asking again changes nothing', () => {
  const some = fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(some, some, some, (before, staying, dead) => {
      const sorted = staying.toSorted((a, b) => a - b)
      const next = voters({ voters: before, staying: sorted, dead })
      if (next === undefined) return
      assert.ok(next.length >= 1 && next.length <= 7)
      assert.ok(next.every((broker) => staying.includes(broker)))
      const again = voters({ voters: next.map(Number), staying: sorted, dead })
      assert.equal(again, undefined)
    }),
    { numRuns: 1_000 },
  )
})
