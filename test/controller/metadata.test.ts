import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brokerId, groupId, slot, storeId } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import type { Topic } from '../../src/types/topic.ts'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import {
  BROKERS_PER_CLUSTER_MAX,
  PARTITIONS_PER_CLUSTER_MAX,
  PARTITIONS_PER_TOPIC_MAX,
  type AlterTopic,
  type Command,
} from '../../src/controller/commands.ts'
import { Metadata } from '../../src/controller/metadata.ts'
import type { MetadataApplied } from '../../src/controller/outcomes.ts'
import { entryAt, noopAt } from '../partition/entries.ts'
import { RowStore } from '../partition/log-arbitrary.ts'
import {
  brokerInfo,
  commandAt,
  createTopic,
  formed,
  member,
  metadataLogArbitrary,
  placedOn,
} from './command-arbitrary.ts'

/** Metadata that commands are given to at the next slot; formed, with brokers 1 to `brokerCount`. */
function open(brokerCount = 3) {
  const metadata = new Metadata()
  let at = 0
  const run = (command: Command): MetadataApplied => metadata.apply(commandAt(++at, command))
  for (const command of formed(brokerCount)) run(command)
  metadata.takeRows()
  const alter = (name: string, change: Omit<Partial<AlterTopic>, 'kind' | 'name'>) =>
    run({ kind: 'alterTopic', name, requestId: `alter ${at}`, ...change })
  return { metadata, run, alter }
}

function kindOf({ outcome }: MetadataApplied): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind
}

const replicas = (...ids: number[]) => ids.map(brokerId)

test('a cluster is formed once, and nothing happens before', () => {
  const metadata = new Metadata()
  assert.equal(kindOf(metadata.apply(commandAt(1, createTopic({ name: 'a' })))), 'internal')
  const result = metadata.apply(commandAt(2, { kind: 'formCluster', clusterId: 'first' }))
  assert.deepEqual(result.events, [{ kind: 'cluster-formed', clusterId: 'first' }])
  const again = metadata.apply(commandAt(3, { kind: 'formCluster', clusterId: 'second' }))
  assert.deepEqual(again, { outcome: { kind: 'already-formed', clusterId: 'first' }, events: [] })
  assert.equal(metadata.clusterId, 'first')
})

test('a broker may change its address, and its store never', () => {
  const { metadata, run } = open()
  const moved = member(2, 'active', { internalPort: 7 })
  const said = brokerInfo(2, { internalPort: 7 })
  assert.deepEqual(run({ kind: 'registerBroker', broker: said }).events, [
    { kind: 'broker-changed', broker: moved },
  ])
  assert.deepEqual(run({ kind: 'registerBroker', broker: said }), {
    outcome: { kind: 'registered', broker: moved },
    events: [],
  })
  const other = brokerInfo(2, { store: 'f'.repeat(32) })
  assert.deepEqual(run({ kind: 'registerBroker', broker: other }), {
    outcome: { kind: 'store-differs', registered: moved },
    events: [],
  })
  assert.deepEqual(metadata.broker(brokerId(2)), moved)
  assert.deepEqual(
    metadata.brokers().map((broker) => broker.id),
    [1, 2, 3],
  )
})

test('the wish for another store is recorded, and ends when the registered one comes back', () => {
  const { metadata, run } = open()
  const two = metadata.broker(brokerId(2))!
  const store = 'f'.repeat(32)
  const wish = { kind: 'replaceStore', broker: brokerId(2), store } as const
  const pending = { ...two, pendingStore: store }
  assert.deepEqual(run(wish), {
    outcome: { kind: 'registered', broker: pending },
    events: [{ kind: 'broker-changed', broker: pending }],
  })
  assert.deepEqual(run(wish).events, [], 'Asked again it is the same wish.')
  assert.equal(kindOf(run({ kind: 'registerBroker', broker: brokerInfo(2, { store }) })), 'store-differs')
  assert.deepEqual(metadata.broker(brokerId(2)), pending)
  assert.deepEqual(run({ ...wish, store: two.store }).events, [])
  run({ kind: 'registerBroker', broker: brokerInfo(2) })
  assert.deepEqual(metadata.broker(brokerId(2)), two)
  assert.equal(kindOf(run({ ...wish, broker: brokerId(9) })), 'not-enough-brokers')
})

test('a topic gets an id and its partitions get groups, counted up', () => {
  const { metadata, run } = open()
  const result = run(
    createTopic({
      name: 'a',
      partitions: [
        [1, 2, 3],
        [2, 3, 1],
      ],
    }),
  )
  const topic = metadata.topic('a')!
  assert.deepEqual(result, {
    outcome: { kind: 'created', topic },
    events: [{ kind: 'partitions-created', topic, placements: topic.partitions }],
  })
  assert.deepEqual(topic.partitions, [placedOn(0, 1, 1, 2, 3), placedOn(1, 2, 2, 3, 1)])
  assert.equal(topic.id, 't1')
  assert.equal(topic.revision, 1)
  assert.deepEqual(metadata.partition(groupId(2)), { topic, placement: topic.partitions[1] })
})

test('a topic made anew under the same name has another id and other groups', () => {
  const { metadata, run } = open()
  run(createTopic({ name: 'a' }))
  const deleted = run({ kind: 'deleteTopic', name: 'a' })
  assert.equal(kindOf(deleted), 'deleted')
  assert.deepEqual(
    deleted.events.map((event) => event.kind === 'topic-deleted' && event.groups),
    [[1]],
  )
  assert.equal(metadata.topic('a'), undefined)
  run(createTopic({ name: 'a', requestId: 'again' }))
  assert.equal(metadata.topic('a')!.id, 't2')
  assert.equal(metadata.topic('a')!.partitions[0]!.group, 2)
})

test('the fate of a group is known for ever', () => {
  const { metadata, run } = open()
  run(createTopic({ name: 'a' }))
  run(createTopic({ name: 'b' }))
  run({ kind: 'deleteTopic', name: 'a' })
  assert.deepEqual(
    [0, 1, 2, 3].map((id) => metadata.fateOf(groupId(id))),
    ['unknown', 'deleted', 'placed', 'unknown'],
  )
})

test('creating what is there is fine if all that is asked for is so, and else tells the differences', () => {
  const { run } = open()
  run(createTopic({ name: 'a', config: { maxLagMs: 500 } }))
  const ask = (asked: Parameters<typeof createTopic>[0]['asked'], requestId = 'another') =>
    run(createTopic({ name: 'a', asked: asked!, requestId })).outcome
  assert.equal(ask({ config: {} }).kind, 'exists-same')
  assert.equal(ask({ partitions: 1, replicationFactor: 3, config: { maxLagMs: 500 } }).kind, 'exists-same')
  const different = ask({ partitions: 2, replicationFactor: 1, config: { maxLagMs: 501, closed: false } })
  assert.equal(different.kind, 'exists-different')
  assert.deepEqual((different as { differences: unknown }).differences, [
    { field: 'partitions', asked: 2, actual: 1 },
    { field: 'replicationFactor', asked: 1, actual: 3 },
    { field: 'config.maxLagMs', asked: 501, actual: 500 },
  ])
})

test('a command that comes twice is told the same, and happens once', () => {
  const { metadata, run } = open()
  const create = createTopic({ name: 'a', asked: { partitions: 1, config: {} } })
  run(create)
  assert.deepEqual(run(create), { outcome: { kind: 'created', topic: metadata.topic('a') }, events: [] })
  const alter: Command = {
    kind: 'alterTopic',
    name: 'a',
    requestId: 'r',
    ifRevision: 1,
    addPartitions: { after: 1, replicas: [replicas(3, 1, 2)] },
  }
  assert.equal(kindOf(run(alter)), 'altered')
  assert.deepEqual(run(alter), { outcome: { kind: 'altered', topic: metadata.topic('a') }, events: [] })
  assert.equal(metadata.topic('a')!.partitions.length, 2)
  assert.equal(metadata.topic('a')!.revision, 2)
})

test('a change of the configuration counts the revision up and is checked', () => {
  const { metadata, run, alter } = open()
  run(createTopic({ name: 'a' }))
  const result = alter('a', { config: { closed: true } })
  const topic = metadata.topic('a')!
  assert.deepEqual(result, {
    outcome: { kind: 'altered', topic },
    events: [{ kind: 'topic-altered', topic }],
  })
  assert.equal(topic.config.closed, true)
  assert.equal(topic.revision, 2)
  assert.equal(kindOf(alter('a', { config: { closed: true } })), 'unchanged')
  assert.equal(kindOf(alter('a', { config: { minInSync: 1 } })), 'invalid-config')
  assert.equal(kindOf(alter('a', { config: { dedupWindowMs: 1_000 } })), 'invalid-config')
  assert.equal(kindOf(alter('b', { config: { closed: true } })), 'not-found')
  assert.equal(metadata.topic('a')!.revision, 2)
})

test('a change or delete of another revision than expected does nothing', () => {
  const { metadata, run, alter } = open()
  run(createTopic({ name: 'a' }))
  alter('a', { config: { closed: true } })
  assert.equal(kindOf(alter('a', { ifRevision: 1, config: { closed: false } })), 'etag-mismatch')
  assert.equal(kindOf(run({ kind: 'deleteTopic', name: 'a', ifRevision: 1 })), 'etag-mismatch')
  assert.equal(kindOf(run({ kind: 'deleteTopic', name: 'a', topicId: 't9' })), 'not-found')
  assert.ok(metadata.topic('a'))
  assert.equal(kindOf(run({ kind: 'deleteTopic', name: 'a', ifRevision: 2, topicId: 't1' })), 'deleted')
  assert.equal(kindOf(run({ kind: 'deleteTopic', name: 'a' })), 'not-found')
})

test('partitions are added once, after those they were placed for', () => {
  const { metadata, run, alter } = open()
  run(createTopic({ name: 'a' }))
  const result = alter('a', { addPartitions: { after: 1, replicas: [replicas(2, 3, 1), replicas(3, 1, 2)] } })
  const topic = metadata.topic('a')!
  const added = topic.partitions.slice(1)
  assert.deepEqual(result.events, [{ kind: 'partitions-created', topic, placements: added }])
  assert.deepEqual(added, [placedOn(1, 2, 2, 3, 1), placedOn(2, 3, 3, 1, 2)])
  assert.equal(
    kindOf(alter('a', { addPartitions: { after: 1, replicas: [replicas(1, 2, 3)] } })),
    'partitions-differ',
  )
  assert.equal(
    kindOf(alter('a', { addPartitions: { after: 3, replicas: [replicas(1, 2)] } })),
    'invalid-config',
  )
})

test('replicas are registered brokers, different ones, as many for each partition', () => {
  const { metadata, run } = open()
  const create = (partitions: number[][]) => kindOf(run(createTopic({ name: 'a', partitions })))
  assert.equal(create([[1, 2, 9]]), 'not-enough-brokers')
  assert.equal(create([[1, 1, 2]]), 'not-enough-brokers')
  assert.equal(
    create([
      [1, 2, 3],
      [1, 2],
    ]),
    'invalid-config',
  )
  assert.equal(kindOf(run(createTopic({ name: 'a', config: { minInSync: 1 } }))), 'invalid-config')
  assert.equal(metadata.topicCount, 0)
  assert.deepEqual(metadata.takeRows(), [])
})

test('a topic and a cluster hold as many partitions as their bounds say', () => {
  const { metadata, run, alter } = open()
  const full = Array.from({ length: PARTITIONS_PER_TOPIC_MAX }, () => [1])
  run(createTopic({ name: 'x1', partitions: full }))
  const more = { after: PARTITIONS_PER_TOPIC_MAX, replicas: [replicas(1)] }
  assert.equal(kindOf(alter('x1', { addPartitions: more })), 'invalid-config')
  for (let index = 2; index <= PARTITIONS_PER_CLUSTER_MAX / PARTITIONS_PER_TOPIC_MAX; index++) {
    assert.equal(kindOf(run(createTopic({ name: `x${index}`, partitions: full }))), 'created')
  }
  assert.equal(metadata.partitionCount, PARTITIONS_PER_CLUSTER_MAX)
  assert.equal(kindOf(run(createTopic({ name: 'more', partitions: [[1]] }))), 'invalid-config')
  run({ kind: 'deleteTopic', name: 'x1' })
  assert.equal(kindOf(run(createTopic({ name: 'more', partitions: [[1]] }))), 'created')
})

test('a cluster has as many brokers as its bound says', () => {
  const { metadata, run } = open(BROKERS_PER_CLUSTER_MAX)
  assert.equal(
    kindOf(run({ kind: 'registerBroker', broker: brokerInfo(BROKERS_PER_CLUSTER_MAX + 1) })),
    'overloaded',
  )
  assert.equal(metadata.brokers().length, BROKERS_PER_CLUSTER_MAX)
  assert.equal(
    kindOf(run({ kind: 'registerBroker', broker: brokerInfo(1, { version: '0.2.0' }) })),
    'registered',
  )
})

test('names that objects have by themselves are names like any other', () => {
  const { metadata, run } = open()
  for (const name of ['constructor', 'toString', 'hasOwnProperty']) {
    assert.equal(metadata.topic(name), undefined)
    assert.equal(kindOf(run(createTopic({ name }))), 'created')
  }
  assert.equal(metadata.topicCount, 3)
})

test('an entry without a readable command changes nothing', () => {
  const { metadata } = open()
  const at = metadata.appliedSlot
  assert.deepEqual(metadata.apply(noopAt(at + 1)), { outcome: { kind: 'control' }, events: [] })
  assert.equal(
    kindOf(metadata.apply(entryAt(at + 2, ENTRY_KIND.DATA, Buffer.from('{}')))),
    'malformed-request',
  )
  assert.deepEqual(metadata.takeRows(), [])
  assert.throws(() => metadata.apply(noopAt(at + 2)), InvariantError)
})

test('rows are written for what changed only', () => {
  const { metadata, run, alter } = open()
  run(createTopic({ name: 'a' }))
  run(createTopic({ name: 'b' }))
  assert.equal(metadata.takeRows().length, 3)
  alter('a', { config: { closed: true } })
  assert.equal(metadata.takeRows().length, 1)
  run({ kind: 'deleteTopic', name: 'b' })
  assert.deepEqual(
    metadata.takeRows().map(({ key, value }) => [Buffer.from(key).toString('latin1'), value !== undefined]),
    [
      ['\x05\0\0\0\0\0\x01', true],
      ['\x03b', false],
    ],
  )
  assert.deepEqual(metadata.takeRows(), [])
})

test('the load of each broker follows what is placed', () => {
  const { metadata, run } = open()
  run(
    createTopic({
      name: 'a',
      partitions: [
        [1, 2],
        [2, 3],
        [2, 1],
      ],
    }),
  )
  const loads = () =>
    metadata.loads().map(({ id, replicaCount, leaderCount }) => [id, replicaCount, leaderCount])
  assert.deepEqual(loads(), [
    [1, 2, 1],
    [2, 3, 2],
    [3, 1, 0],
  ])
  run({ kind: 'deleteTopic', name: 'a' })
  assert.ok(metadata.loads().every((load) => load.replicaCount === 0 && load.leaderCount === 0))
})

/** All that anybody can see of the metadata. */
function seen(metadata: Metadata): unknown {
  const topics: Topic[] = [...metadata.topics()]
  return {
    topics,
    brokers: metadata.brokers(),
    removed: metadata.removedBrokers(),
    loads: metadata.loads(),
    clusterId: metadata.clusterId,
    operations: metadata.operations(),
    running: metadata.runningOperations(),
    changing: metadata.changing(),
  }
}

test('two replicas that are fed the same log say the same and hold the same rows', () => {
  fc.assert(
    fc.property(metadataLogArbitrary, (log) => {
      const [one, two] = [new Metadata(), new Metadata()]
      const [oneRows, twoRows] = [new RowStore(), new RowStore()]
      for (const entry of log) {
        assert.deepEqual(one.apply(entry), two.apply(entry))
        oneRows.put(one.takeRows())
      }
      twoRows.put(two.takeRows())
      assert.deepEqual(oneRows.text, twoRows.text)
      assert.deepEqual(seen(one), seen(two))
    }),
    { numRuns: 200 },
  )
})

test('metadata restored from rows at any slot goes on as if it had never stopped', () => {
  fc.assert(
    fc.property(metadataLogArbitrary, fc.nat(), (log, where) => {
      const cut = where % (log.length + 1)
      const metadata = new Metadata()
      const rows = new RowStore()
      for (const entry of log.slice(0, cut)) metadata.apply(entry)
      rows.put(metadata.takeRows())
      const restored = new Metadata()
      restored.restore(rows.rows, { slot: slot(cut), nextOffset: 0, lastAppendedAtMs: 0 })
      assert.deepEqual(seen(restored), seen(metadata))
      const restoredRows = new RowStore()
      restoredRows.put(rows.rows)
      for (const entry of log.slice(cut)) assert.deepEqual(restored.apply(entry), metadata.apply(entry))
      rows.put(metadata.takeRows())
      restoredRows.put(restored.takeRows())
      assert.deepEqual(restoredRows.text, rows.text)
    }),
    { numRuns: 200 },
  )
})

test('what is over leaves nothing behind that a restart would not know', () => {
  const metadata = new Metadata()
  let at = 0
  const run = (command: Command): MetadataApplied => metadata.apply(commandAt(++at, command))
  for (const command of formed(3)) run(command)
  const store = storeId('f'.repeat(32))
  const wish = { kind: 'replace-store', broker: brokerId(2), store } as const
  run({ ...wish, kind: 'replaceStore' })
  run({ kind: 'startOperation', requestId: 'r', startedAtMs: 0, wish })
  run({ kind: 'endOperation', operation: 'op1', state: 'done', atMs: 0 })
  assert.equal(metadata.broker(brokerId(2))?.store, store)
  run(createTopic({ name: 'a', partitions: [replicas(1, 2, 3)] }))
  const recorded = { kind: 'recordConfiguration', group: groupId(1), replicas: replicas(2, 3, 1) } as const
  run({ ...recorded, number: 2, stores: [store, store, store], atMs: 0 })
  run({ ...recorded, number: 3, atMs: 0 })
  assert.equal(metadata.partition(groupId(1))?.placement.configuration, 3)
  const rows = new RowStore()
  rows.put(metadata.takeRows())
  const restored = new Metadata()
  restored.restore(rows.rows, { slot: slot(at), nextOffset: 0, lastAppendedAtMs: 0 })
  assert.deepEqual(seen(restored), seen(metadata))
})

test('a create that comes again after its topic was deleted makes nothing, also after a restart', () => {
  const { metadata, run } = open()
  const asked = createTopic({ name: 'a', requestId: 'first' })
  run(asked)
  run({ kind: 'deleteTopic', name: 'a' })
  const repeated = { outcome: { kind: 'repeated', topicId: 't1', created: true }, events: [] }
  assert.deepEqual(run(asked), repeated)
  run(createTopic({ name: 'a', requestId: 'second' }))
  assert.deepEqual(run(asked), repeated, 'The new topic of that name is another one.')
  assert.equal(metadata.topic('a')!.id, 't2')
  const rows = new RowStore()
  rows.put(metadata.takeRows())
  const { appliedSlot } = metadata
  const restarted = new Metadata()
  restarted.restore(rows.rows, { slot: appliedSlot, nextOffset: 0, lastAppendedAtMs: 0 })
  assert.deepEqual(restarted.apply(commandAt(appliedSlot + 1, asked)), repeated)
})

test('an alter that comes again after another one undoes nothing', () => {
  const { metadata, run } = open()
  run(createTopic({ name: 'a' }))
  const first = { kind: 'alterTopic', name: 'a', requestId: 'first', config: { closed: true } } as const
  run(first)
  run({ ...first, requestId: 'second', config: { closed: false } })
  const repeated = { outcome: { kind: 'repeated', topicId: 't1', created: false }, events: [] }
  assert.deepEqual(run(first), repeated)
  assert.deepEqual([metadata.topic('a')!.config.closed, metadata.topic('a')!.revision], [false, 3])
  run({ kind: 'deleteTopic', name: 'a' })
  for (const requestId of ['first', 'second']) assert.deepEqual(run({ ...first, requestId }), repeated)
})

test('no group and no topic id is ever given twice', () => {
  fc.assert(
    fc.property(metadataLogArbitrary, (log) => {
      const metadata = new Metadata()
      const groups = new Set<number>()
      const ids = new Set<string>()
      for (const entry of log) {
        for (const event of metadata.apply(entry).events) {
          if (event.kind !== 'partitions-created') continue
          if (event.placements[0]!.partition === 0) {
            assert.ok(!ids.has(event.topic.id))
            ids.add(event.topic.id)
          }
          for (const { group } of event.placements) {
            assert.ok(!groups.has(group))
            groups.add(group)
          }
        }
      }
    }),
    { numRuns: 200 },
  )
})
