import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brokerId, groupId, type GroupId } from '../../src/types/ids.ts'
import type { PartitionPlacement } from '../../src/types/topic.ts'
import type { Command } from '../../src/controller/commands.ts'
import { Metadata } from '../../src/controller/metadata.ts'
import type { OperationWish } from '../../src/controller/operation-schema.ts'
import { OPERATIONS_KEPT_MAX, OPERATIONS_RUNNING_MAX } from '../../src/controller/operation-table.ts'
import type { MetadataApplied } from '../../src/controller/outcomes.ts'
import { holdersOf, sameBrokers } from '../../src/controller/placement-change.ts'
import { ENTRY_KIND } from '../../src/paxos/state.ts'
import { brokerInfo, commandAt, createTopic, formed, metadataLogArbitrary } from './command-arbitrary.ts'

const ids = (...numbers: number[]) => numbers.map(brokerId)
const GROUP = groupId(1)

/** Metadata with topic 'a' of one partition on brokers 1, 2 and 3. */
function open(brokerCount = 5) {
  const metadata = new Metadata()
  let at = 0
  let requestCount = 0
  const run = (command: Command): MetadataApplied => metadata.apply(commandAt(++at, command))
  for (const command of formed(brokerCount)) run(command)
  run(createTopic({ name: 'a' }))
  const start = (wish: OperationWish, requestId = `r${++requestCount}`) =>
    run({ kind: 'startOperation', requestId, startedAtMs: 1_000, wish })
  const move = (...target: number[]) =>
    start({ kind: 'move-replicas', topic: 'a', topicId: 't1', partition: 0, target: ids(...target) })
  const record = (number: number, ...replicas: number[]) =>
    run({ kind: 'recordConfiguration', group: GROUP, number, replicas: ids(...replicas), atMs: 2_000 })
  const change = (operation: string, ...target: number[]) => {
    const { configuration } = placement()
    return run({ kind: 'changeReplicas', operation, group: GROUP, configuration, target: ids(...target) })
  }
  const switchOver = (operation: string) => run({ kind: 'switchReplicas', operation, group: GROUP })
  const cancel = (operation: string) => run({ kind: 'cancelOperation', operation, atMs: 3_000 })
  const end = (operation: string, state: 'done' | 'failed' = 'done') =>
    run({ kind: 'endOperation', operation, state, atMs: 4_000 })
  const placement = () => metadata.topic('a')!.partitions[0]!
  const membership = (id: number) => metadata.broker(brokerId(id))?.membership
  return { metadata, run, start, move, record, change, switchOver, cancel, end, placement, membership }
}

function kindOf({ outcome }: MetadataApplied): string {
  if (outcome.kind === 'refused') return outcome.code
  return outcome.kind === 'operation' ? outcome.operation.state : outcome.kind
}

test('a move goes from learning over switching to done, and tells each broker each step', () => {
  const { metadata, move, switchOver, record, placement } = open()
  const started = move(4, 2, 3)
  assert.equal(kindOf(started), 'running')
  assert.deepEqual(
    started.events.map((event) => event.kind === 'placement-changed' && event.placement.learners),
    [[4]],
  )
  assert.equal(kindOf(switchOver('op1')), 'carried-out')
  assert.deepEqual(metadata.operation('op1')!.stepsDone, 1)
  assert.equal(kindOf(switchOver('op1')), 'outdated')
  const recorded = record(2, 2, 3, 4)
  assert.deepEqual(
    recorded.events.map((event) => event.kind === 'placement-changed' && holdersOf(event.placement)),
    [[4, 2, 3]],
  )
  assert.deepEqual(placement().replicas, [4, 2, 3])
  const { state, stepsDone, endedAtMs } = metadata.operation('op1')!
  assert.deepEqual([state, stepsDone, endedAtMs], ['done', 2, 2_000])
  assert.equal(kindOf(record(2, 1, 2, 3)), 'outdated')
  assert.equal(metadata.topic('a')!.revision, 1)
})

test('a move to the same brokers in another order is done at once', () => {
  const { move, placement } = open()
  assert.equal(kindOf(move(3, 1, 2)), 'done')
  assert.deepEqual(placement().replicas, [3, 1, 2])
})

test('a request that comes twice starts one operation', () => {
  const { metadata, start } = open()
  const wish = { kind: 'drain-broker', broker: brokerId(5) } as const
  const first = start(wish, 'same')
  const { events, outcome } = start(wish, 'same')
  assert.deepEqual([events, outcome], [[], first.outcome])
  assert.equal(metadata.operations().length, 1)
})

test('a move is refused with a reason', () => {
  const { move, start, run } = open()
  assert.equal(kindOf(move(1, 1, 2)), 'not-enough-brokers')
  assert.equal(kindOf(move(1, 2, 9)), 'not-enough-brokers')
  start({ kind: 'drain-broker', broker: brokerId(5) })
  assert.equal(kindOf(move(1, 2, 5)), 'not-enough-brokers')
  run({ kind: 'alterTopic', name: 'a', requestId: 'r', config: { minInSync: 3 } })
  assert.equal(kindOf(move(1, 2)), 'invalid-config')
  const wish = { kind: 'move-replicas', topic: 'a', partition: 0, target: ids(1, 2, 4) } as const
  assert.equal(kindOf(start({ ...wish, topicId: 't9' })), 'not-found')
  assert.equal(kindOf(start({ ...wish, topicId: 't1', partition: 1 })), 'not-found')
  assert.equal(kindOf(move(1, 2, 4)), 'running')
  assert.equal(kindOf(move(1, 2, 3)), 'reassignment-in-progress')
})

test('a move that learns is cancelled at once, one that switches when it has turned round', () => {
  const { metadata, move, cancel, switchOver, record, placement } = open()
  move(4, 2, 3)
  assert.equal(kindOf(cancel('op1')), 'cancelled')
  assert.deepEqual([placement().learners, placement().change], [[], undefined])
  assert.equal(kindOf(cancel('op1')), 'operation-ended')
  assert.equal(kindOf(cancel('op9')), 'not-found')
  move(4, 2, 3)
  switchOver('op2')
  assert.equal(kindOf(cancel('op2')), 'running')
  assert.deepEqual(holdersOf(placement()), [1, 2, 3, 4])
  assert.equal(kindOf(cancel('op2')), 'running')
  record(2, 1, 2, 3)
  assert.equal(metadata.operation('op2')!.state, 'cancelled')
  assert.deepEqual(holdersOf(placement()), [1, 2, 3])
})

test('a drained broker keeps its place in the cluster and gets nothing until it is taken back', () => {
  const { metadata, run, start, change, switchOver, record, end, membership } = open()
  assert.equal(kindOf(start({ kind: 'drain-broker', broker: brokerId(1) })), 'running')
  assert.equal(membership(1), 'draining')
  assert.ok(metadata.loads().every(({ id }) => id !== 1))
  assert.equal(kindOf(end('op1')), 'outdated')
  assert.equal(kindOf(change('op1', 4, 2, 3)), 'carried-out')
  assert.equal(kindOf(change('op1', 5, 2, 3)), 'outdated')
  switchOver('op1')
  record(2, 2, 3, 4)
  assert.equal(metadata.operation('op1')!.stepsDone, 1)
  assert.equal(kindOf(run({ kind: 'activateBroker', broker: brokerId(1) })), 'reassignment-in-progress')
  assert.equal(kindOf(end('op1')), 'done')
  assert.equal(membership(1), 'draining')
  assert.equal(kindOf(run({ kind: 'activateBroker', broker: brokerId(1) })), 'carried-out')
  assert.equal(membership(1), 'active')
})

test('a broker is removed when it holds nothing, and comes back with a new store only', () => {
  const { metadata, run, start, end, membership } = open()
  start({ kind: 'remove-broker', broker: brokerId(5), isForced: false })
  assert.equal(metadata.operation('op1')!.stepsTotal, 1)
  const ended = end('op1')
  assert.deepEqual(
    ended.events.map(({ kind }) => kind),
    ['broker-removed'],
  )
  assert.equal(membership(5), 'removed')
  assert.equal(metadata.brokers().length, 4)
  assert.equal(kindOf(run({ kind: 'registerBroker', broker: brokerInfo(5) })), 'removed')
  const renewed = brokerInfo(5, { store: 'f'.repeat(32) })
  assert.equal(kindOf(run({ kind: 'registerBroker', broker: renewed })), 'registered')
  assert.equal(membership(5), 'active')
  assert.equal(kindOf(start({ kind: 'drain-broker', broker: brokerId(9) })), 'not-found')
})

test('a broker leaves only where others can hold what it holds', () => {
  const { start, run } = open(3)
  assert.equal(kindOf(start({ kind: 'drain-broker', broker: brokerId(1) })), 'not-enough-brokers')
  const remove = (isForced: boolean) => start({ kind: 'remove-broker', broker: brokerId(1), isForced })
  assert.equal(kindOf(remove(false)), 'not-enough-brokers')
  run(createTopic({ name: 'b', partitions: [[1]] }))
  assert.equal(kindOf(remove(true)), 'would-lose-quorum')
  run({ kind: 'deleteTopic', name: 'b' })
  assert.equal(kindOf(remove(true)), 'running')
})

test('the last broker stays', () => {
  const { start } = open(1)
  const wish = { kind: 'remove-broker', broker: brokerId(1), isForced: true } as const
  assert.equal(kindOf(start(wish)), 'not-enough-brokers')
})

test('a removal takes over from a drain, and only one of each works on a broker', () => {
  const { metadata, start, cancel, membership } = open()
  start({ kind: 'drain-broker', broker: brokerId(5) })
  assert.equal(kindOf(start({ kind: 'drain-broker', broker: brokerId(5) })), 'reassignment-in-progress')
  const remove = { kind: 'remove-broker', broker: brokerId(5), isForced: false } as const
  assert.equal(kindOf(start(remove)), 'running')
  assert.equal(metadata.operation('op1')!.state, 'cancelled')
  assert.equal(kindOf(start(remove)), 'reassignment-in-progress')
  assert.equal(kindOf(cancel('op2')), 'cancelled')
  assert.equal(membership(5), 'active')
})

test('operations that run and operations that are remembered have a bound', () => {
  const { metadata, run, start } = open()
  const partitions = Array.from({ length: 1_000 }, () => [1])
  for (const name of ['b', 'c']) run(createTopic({ name, partitions }))
  const moveOf = (topic: string, topicId: string, partition: number, target: number) =>
    start({ kind: 'move-replicas', topic, topicId, partition, target: ids(target) })
  for (let count = 0; count < OPERATIONS_RUNNING_MAX; count++)
    assert.equal(kindOf(moveOf('b', 't2', count, 2)), 'running')
  assert.equal(kindOf(moveOf('c', 't3', 0, 2)), 'overloaded')
  const running = metadata.runningOperations()
  run({ kind: 'cancelOperation', operation: running[0]!.id, atMs: 1 })
  for (let count = 0; count < OPERATIONS_KEPT_MAX + 10; count++)
    assert.equal(kindOf(moveOf('c', 't3', count % 1_000, 1)), 'done')
  assert.equal(metadata.operations().length, OPERATIONS_RUNNING_MAX - 1 + OPERATIONS_KEPT_MAX)
  assert.equal(metadata.operation('op1'), undefined)
  assert.equal(metadata.operation('op2')?.state, 'running')
})

test('whatever comes in whatever order, no copy goes before it may, and no removed broker holds one', () => {
  fc.assert(
    fc.property(metadataLogArbitrary, (log) => {
      const metadata = new Metadata()
      let before = new Map<GroupId, PartitionPlacement>()
      for (const entry of log) {
        const { outcome } = metadata.apply(entry)
        const after = new Map<GroupId, PartitionPlacement>()
        for (const topic of metadata.topics())
          for (const placement of topic.partitions) after.set(placement.group, placement)
        for (const [group, placement] of after) checkStep(before.get(group), placement)
        for (const { id } of metadata.removedBrokers()) assert.equal(metadata.load(id).replicaCount, 0)
        assert.equal(
          metadata.changing().length,
          [...after.values()].filter(({ change }) => change !== undefined).length,
        )
        assert.ok(entry.kind === ENTRY_KIND.DATA || outcome.kind === 'control')
        before = after
      }
    }),
    { numRuns: 300 },
  )
})

/** A holder goes when another configuration is recorded, or when a change is called off that nobody was told to make. */
function checkStep(before: PartitionPlacement | undefined, after: PartitionPlacement): void {
  const { change, replicas, learners } = after
  assert.ok(learners.every((broker) => !replicas.includes(broker)))
  assert.ok(change === undefined ? learners.length === 0 : !sameBrokers([], change.target))
  if (before === undefined || after.configuration > before.configuration) return
  assert.equal(after.configuration, before.configuration)
  assert.ok(sameBrokers(before.replicas, replicas), 'Voters change with the configuration only.')
  const gone = holdersOf(before).filter((broker) => !holdersOf(after).includes(broker))
  if (gone.length > 0) assert.equal(before.change?.phase, 'learning')
}
