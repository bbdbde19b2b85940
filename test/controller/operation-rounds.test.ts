import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { brokerId, storeId, type BrokerId, type GroupId, type Replica } from '../../src/types/ids.ts'
import type { Command } from '../../src/controller/commands.ts'
import { Metadata } from '../../src/controller/metadata.ts'
import { CHANGES_MAX, OperationRounds } from '../../src/controller/operation-rounds.ts'
import type { OperationWish } from '../../src/controller/operation-schema.ts'
import { holdersOf } from '../../src/controller/placement-change.ts'
import type { GroupState } from '../../src/partition/inspect.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'
import { brokerInfo, commandAt, createTopic, formed } from './command-arbitrary.ts'

interface Group {
  configuration: number
  voters: readonly Replica[]
}

const replicaOf = (broker: BrokerId): Replica => ({
  broker,
  store: storeId(String(broker).padStart(32, '0')),
})

/** The metadata itself, over groups that do at once what they are told, or not at all. */
class FakeCluster {
  readonly metadata = new Metadata()
  readonly clock = new VirtualClock()
  readonly groups = new Map<GroupId, Group>()
  readonly dead = new Set<number>()
  readonly failures: unknown[] = []
  controllerVoters: readonly Replica[] = []
  controllers: readonly string[] = ['one']
  hasCaughtUp = true
  highestChanging = 0
  replaceAfterMs: number | undefined
  #slot = 0
  #requests = 0

  constructor(brokerCount: number, partitions: readonly (readonly number[])[]) {
    for (const command of formed(brokerCount)) this.run(command)
    this.run(createTopic({ name: 'a', partitions }))
    for (const { group, replicas } of this.metadata.topic('a')!.partitions)
      this.groups.set(group, { configuration: 1, voters: replicas.map(replicaOf) })
    this.controllerVoters = [1, 2, 3].slice(0, brokerCount).map((id) => replicaOf(brokerId(id)))
  }

  run(command: Command) {
    const applied = this.metadata.apply(commandAt(++this.#slot, command))
    this.highestChanging = Math.max(this.highestChanging, this.metadata.changing().length)
    return applied
  }

  start(wish: OperationWish): void {
    const requestId = `r${++this.#requests}`
    const { outcome } = this.run({ kind: 'startOperation', requestId, startedAtMs: 0, wish })
    assert.equal(outcome.kind, 'operation', JSON.stringify(outcome))
  }

  /** Rounds of the controller of that name, as long as it is the controller. */
  rounds(name: string): OperationRounds {
    const rounds = new OperationRounds({
      self: brokerId(1),
      metadata: this.metadata,
      isController: () => this.controllers.includes(name),
      voters: () => this.controllerVoters,
      submit: async (command) => {
        await Promise.resolve()
        this.run(command)
      },
      stateOf: ({ group }) => Promise.resolve(this.#state(group)),
      order: ({ group }, voters, after) => this.#order(group, voters, after),
      orderOwn: (voters) => {
        this.controllerVoters = voters
        return Promise.resolve()
      },
      isAlive: (broker) => !this.dead.has(broker),
      nowMs: () => this.clock.nowMs(),
      wallMs: () => this.clock.nowMs(),
      requestId: () => `own${++this.#requests}`,
      replaceAfterMs: this.replaceAfterMs,
      later: (run, delayMs) => this.clock.later(run, delayMs),
      say: () => {},
      fatal: (error) => this.failures.push(error),
    })
    rounds.start()
    return rounds
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      await turns(10)
      this.clock.advance(50)
    }
    await turns(10)
    assert.deepEqual(this.failures, [])
  }

  get placements() {
    return this.metadata.topic('a')!.partitions
  }

  stateOf(id: string) {
    const { state, stepsDone, stepsTotal } = this.metadata.operation(id)!
    return `${state} ${stepsDone}/${stepsTotal}`
  }

  #state(group: GroupId): GroupState | undefined {
    const { configuration, voters } = this.groups.get(group)!
    const alive = voters.filter(({ broker }) => !this.dead.has(broker))
    if (alive.length * 2 <= voters.length) return undefined
    const { placement } = this.metadata.partition(group)!
    const isLearning = ({ broker, store }: Replica) => this.metadata.presentStore(broker) !== store
    const inPlace = voters.filter(isLearning).map(({ broker }) => broker)
    const replicas = [...placement.learners, ...inPlace].map((broker) => ({
      broker,
      acceptedSlot: 0,
      lagSlots: 0,
      lagMs: 0,
      inSync: this.hasCaughtUp && !this.dead.has(broker),
      state: 'learner' as const,
    }))
    const about = { isElected: true, role: 'leader', leader: alive[0]!.broker }
    return { ...about, configuration, voters, replicas } as unknown as GroupState
  }

  async #order(group: GroupId, voters: readonly Replica[], after: number): Promise<void> {
    await Promise.resolve()
    const state = this.groups.get(group)!
    if (state.configuration !== after) throw new SynodError('etag-mismatch', 'Another one is in force.')
    // Nobody gets a vote whose copy could be deleted by what is recorded.
    const holders = holdersOf(this.metadata.partition(group)!.placement)
    assert.ok(voters.every(({ broker }) => holders.includes(broker)))
    this.groups.set(group, { configuration: after + 1, voters })
  }
}

const everywhere = (count: number, ...replicas: number[]) => Array.from({ length: count }, () => replicas)
const move = (target: readonly number[], partition = 0): OperationWish => ({
  kind: 'move-replicas',
  topic: 'a',
  topicId: 't1',
  partition,
  target: target.map(brokerId),
})

test('a partition moves when its new replicas have caught up', async () => {
  const cluster = new FakeCluster(5, [[1, 2, 3]])
  cluster.hasCaughtUp = false
  cluster.rounds('one')
  cluster.start(move([4, 5, 3]))
  await cluster.pass(5_000)
  assert.equal(cluster.stateOf('op1'), 'running 0/2')
  cluster.hasCaughtUp = true
  await cluster.pass(2_000)
  assert.equal(cluster.stateOf('op1'), 'done 2/2')
  assert.deepEqual(cluster.placements[0]!.replicas, [4, 5, 3])
  assert.equal(cluster.placements[0]!.configuration, 2)
})

test('a broker is drained with a bounded number of partitions on their way, then removed', async () => {
  const cluster = new FakeCluster(5, [...everywhere(20, 1, 2, 3), ...everywhere(20, 3, 4, 5)])
  cluster.rounds('one')
  cluster.start({ kind: 'drain-broker', broker: brokerId(3) })
  await cluster.pass(20_000)
  assert.equal(cluster.stateOf('op1'), 'done 40/40')
  assert.equal(cluster.highestChanging, CHANGES_MAX)
  assert.ok(cluster.placements.every(({ replicas }) => !replicas.includes(brokerId(3))))
  cluster.start({ kind: 'remove-broker', broker: brokerId(3), isForced: false })
  await cluster.pass(3_000)
  assert.equal(cluster.stateOf('op2'), 'done 1/1')
  assert.deepEqual(
    cluster.controllerVoters.map(({ broker }) => Number(broker)),
    [1, 2, 4],
  )
})

test('another controller goes on at any step, also beside one that does not know of it yet', async () => {
  for (let step = 1; step <= 12; step++) {
    const cluster = new FakeCluster(5, everywhere(10, 1, 2, 3))
    cluster.rounds('one')
    cluster.start({ kind: 'drain-broker', broker: brokerId(2) })
    await cluster.pass(1_000 + step * 50)
    cluster.controllers = ['one', 'two']
    cluster.rounds('two')
    await cluster.pass(step * 50)
    cluster.controllers = ['two']
    await cluster.pass(10_000)
    assert.equal(cluster.stateOf('op1'), 'done 10/10')
    for (const { group, replicas, configuration } of cluster.placements) {
      assert.equal(cluster.groups.get(group)!.configuration, configuration)
      assert.deepEqual(
        cluster.groups
          .get(group)!
          .voters.map(({ broker }) => broker)
          .toSorted(),
        replicas.toSorted(),
      )
    }
  }
})

test('a move that is called off while it switches comes back to the replicas of before', async () => {
  const cluster = new FakeCluster(5, [[1, 2, 3]])
  cluster.start(move([4, 5, 3]))
  const { group } = cluster.placements[0]!
  cluster.run({ kind: 'switchReplicas', operation: 'op1', group })
  cluster.run({ kind: 'cancelOperation', operation: 'op1', atMs: 1 })
  cluster.rounds('one')
  await cluster.pass(3_000)
  assert.equal(cluster.stateOf('op1'), 'cancelled 1/2')
  assert.deepEqual(cluster.placements[0]!.replicas, [1, 2, 3])
  // A configuration of its own makes sure that no order of before is carried out after it.
  assert.equal(cluster.groups.get(group)!.configuration, 2)
  assert.deepEqual(holdersOf(cluster.placements[0]!), [1, 2, 3])
})

test('a replica that was on its way to a broker that is gone goes to another one', async () => {
  const cluster = new FakeCluster(5, [[1, 2, 3]])
  cluster.hasCaughtUp = false
  cluster.rounds('one')
  cluster.start({ kind: 'drain-broker', broker: brokerId(2) })
  await cluster.pass(2_000)
  assert.deepEqual(cluster.placements[0]!.learners, [4])
  cluster.dead.add(4)
  cluster.hasCaughtUp = true
  await cluster.pass(9_000)
  assert.deepEqual(cluster.placements[0]!.learners, [4])
  await cluster.pass(5_000)
  assert.equal(cluster.stateOf('op1'), 'done 1/1')
  assert.deepEqual(cluster.placements[0]!.replicas, [1, 5, 3])
})

test('a topic that is deleted ends its moves', async () => {
  const cluster = new FakeCluster(5, [[1, 2, 3]])
  cluster.hasCaughtUp = false
  cluster.rounds('one')
  cluster.start(move([4, 5, 3]))
  await cluster.pass(1_500)
  cluster.run({ kind: 'deleteTopic', name: 'a' })
  await cluster.pass(1_500)
  assert.equal(cluster.metadata.operation('op1')!.state, 'failed')
  assert.match(cluster.metadata.operation('op1')!.problem!, /deleted/)
})

test('a broker that is gone is removed by force, from as many replicas as there are brokers left', async () => {
  const cluster = new FakeCluster(3, everywhere(5, 1, 2, 3))
  cluster.dead.add(3)
  cluster.rounds('one')
  cluster.start({ kind: 'remove-broker', broker: brokerId(3), isForced: true })
  await cluster.pass(5_000)
  assert.equal(cluster.stateOf('op1'), 'done 6/6')
  for (const { replicas } of cluster.placements) assert.deepEqual(replicas, [1, 2])
  assert.equal(cluster.metadata.broker(brokerId(3))!.membership, 'removed')
})

test('a broker that is gone for too long is replaced, and one that comes back keeps what it still has', async () => {
  const cluster = new FakeCluster(4, everywhere(20, 1, 2, 3))
  cluster.replaceAfterMs = 60_000
  cluster.dead.add(3)
  cluster.rounds('one')
  await cluster.pass(55_000)
  assert.deepEqual(cluster.metadata.operations(), [])
  cluster.hasCaughtUp = false
  await cluster.pass(10_000)
  assert.equal(cluster.stateOf('op1'), 'running 0/20')
  assert.equal(cluster.metadata.broker(brokerId(3))!.membership, 'active')
  cluster.hasCaughtUp = true
  await cluster.pass(500)
  cluster.dead.delete(3)
  await cluster.pass(5_000)
  assert.equal(cluster.metadata.operation('op1')!.state, 'cancelled')
  assert.deepEqual(cluster.metadata.changing(), [])
  const kept = cluster.placements.filter(({ replicas }) => replicas.includes(brokerId(3)))
  assert.ok(kept.length > 0 && kept.length < 20, `${kept.length} kept.`)
})

test('without another broker nothing is repaired, and nothing is begun again and again', async () => {
  const cluster = new FakeCluster(3, everywhere(5, 1, 2, 3))
  cluster.replaceAfterMs = 10_000
  cluster.dead.add(3)
  cluster.rounds('one')
  await cluster.pass(60_000)
  assert.deepEqual(cluster.metadata.operations(), [])
})

test('a founder that has not registered yet keeps its vote', async () => {
  const cluster = new FakeCluster(2, [[1, 2]])
  cluster.controllerVoters = [1, 2, 3].map((id) => replicaOf(brokerId(id)))
  cluster.dead.add(3)
  cluster.rounds('one')
  await cluster.pass(5_000)
  assert.equal(cluster.controllerVoters.length, 3)
})

test('who is not the controller does nothing', async () => {
  const cluster = new FakeCluster(5, [[1, 2, 3]])
  cluster.controllers = []
  const rounds = cluster.rounds('one')
  cluster.start(move([4, 5, 3]))
  await cluster.pass(5_000)
  assert.equal(cluster.stateOf('op1'), 'running 0/2')
  cluster.controllers = ['one']
  rounds.stop()
  await cluster.pass(5_000)
  assert.equal(cluster.stateOf('op1'), 'running 0/2')
})

const FRESH = storeId('f'.repeat(32))
const comesBack = (store: string): Command => ({ kind: 'replaceStore', broker: brokerId(3), store })

test('a broker that comes back with another store gets the votes of the lost one, group by group', async () => {
  const cluster = new FakeCluster(4, [...everywhere(70, 1, 2, 3), [1, 2, 4]])
  cluster.rounds('one')
  cluster.hasCaughtUp = false
  cluster.run(comesBack(FRESH))
  await cluster.pass(5_000)
  assert.equal(cluster.stateOf('op1'), 'running 0/71')
  cluster.hasCaughtUp = true
  await cluster.pass(10_000)
  assert.equal(cluster.stateOf('op1'), 'done 71/71')
  for (const { group, replicas, voters } of cluster.placements) {
    const vote = cluster.groups.get(group)!.voters.find(({ broker }) => broker === 3)
    assert.equal(vote?.store, replicas.includes(brokerId(3)) ? FRESH : undefined)
    assert.equal(voters?.find(({ broker }) => broker === 3)?.store, vote?.store)
  }
  assert.deepEqual(cluster.controllerVoters[2], { broker: 3, store: FRESH })
  const { store, pendingStore } = cluster.metadata.broker(brokerId(3))!
  assert.deepEqual([store, pendingStore], [FRESH, undefined])
})

test('a replacement cannot be called off, and ends when the lost store comes back before it began', async () => {
  const cluster = new FakeCluster(3, everywhere(2, 1, 2, 3))
  cluster.hasCaughtUp = false
  cluster.rounds('one')
  const registered = cluster.metadata.broker(brokerId(3))!.store
  cluster.run(comesBack(FRESH))
  await cluster.pass(2_000)
  const refused = cluster.run({ kind: 'cancelOperation', operation: 'op1', atMs: 0 })
  assert.equal(refused.outcome.kind, 'refused')
  assert.equal(cluster.stateOf('op1'), 'running 0/3')
  cluster.run({ kind: 'registerBroker', broker: brokerInfo(3, { store: registered }) })
  await cluster.pass(2_000)
  assert.equal(cluster.stateOf('op1'), 'cancelled 0/3')
  assert.equal(cluster.metadata.operation('op2'), undefined)
})

test('a partition that is made while a store is replaced is waited for', () => {
  const cluster = new FakeCluster(3, everywhere(1, 1, 2, 3))
  const { group } = cluster.placements[0]!
  cluster.run(comesBack(FRESH))
  cluster.start({ kind: 'replace-store', broker: brokerId(3), store: FRESH })
  const record = (of: GroupId): Command => ({
    kind: 'recordConfiguration',
    group: of,
    number: 2,
    replicas: [1, 2, 3].map(brokerId),
    stores: [replicaOf(brokerId(1)).store, replicaOf(brokerId(2)).store, FRESH],
    atMs: 0,
  })
  cluster.run(record(group))
  cluster.run(createTopic({ name: 'b', requestId: 'b1', partitions: [[1, 2, 3]] }))
  const end: Command = { kind: 'endOperation', operation: 'op1', state: 'done', atMs: 0 }
  assert.equal(cluster.run(end).outcome.kind, 'outdated')
  cluster.run(record(cluster.metadata.topic('b')!.partitions[0]!.group))
  assert.equal(cluster.run(end).outcome.kind, 'operation')
  assert.equal(cluster.metadata.broker(brokerId(3))!.store, FRESH)
})
