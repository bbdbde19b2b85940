import fc from 'fast-check'
import { brokerId, groupId, storeId, type BrokerId } from '../../src/types/ids.ts'
import {
  DEFAULT_TOPIC_CONFIG,
  type BrokerInfo,
  type Member,
  type PartitionPlacement,
  type TopicConfig,
} from '../../src/types/topic.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { encodeCommand } from '../../src/controller/commands.ts'
import type { AlterTopic, AskedTopic, Command, CreateTopic } from '../../src/controller/commands.ts'
import type { OperationCommand, OperationWish } from '../../src/controller/operation-schema.ts'
import { entryAt, noopAt } from '../partition/entries.ts'

export function brokerInfo(id: number, change: Partial<BrokerInfo> = {}): BrokerInfo {
  const store = String(id).padStart(32, '0')
  const internalPort = 9_000 + id
  const publicUrl = `http://127.0.0.1:${8_000 + id}`
  const about = { internalHost: '127.0.0.1', internalPort, failureDomain: `d${id}`, version: '0.1.0' }
  return { id: brokerId(id), store, publicUrl, ...about, ...change }
}

export function member(
  id: number,
  membership: Member['membership'] = 'active',
  change: Partial<BrokerInfo> = {},
): Member {
  return { ...brokerInfo(id, change), membership }
}

/** A placement that nobody is changing. */
export function placedOn(partition: number, group: number, ...replicas: number[]): PartitionPlacement {
  return {
    partition,
    group: groupId(group),
    replicas: replicas.map(brokerId),
    configuration: 1,
    learners: [],
    change: undefined,
  }
}

export interface TopicMaking {
  readonly name: string
  readonly partitions?: readonly (readonly number[])[]
  readonly config?: Partial<TopicConfig>
  readonly asked?: AskedTopic
  readonly requestId?: string
}

export function createTopic(making: TopicMaking): CreateTopic {
  const {
    name,
    partitions = [[1, 2, 3]],
    config = {},
    asked = { config },
    requestId = `create ${name}`,
  } = making
  return {
    kind: 'createTopic',
    name,
    requestId,
    createdAtMs: 1_000,
    partitions: partitions.map((replicas) => replicas as readonly BrokerId[]),
    config: { ...DEFAULT_TOPIC_CONFIG, ...config },
    asked,
  }
}

export function commandAt(at: number, command: Command): Entry {
  return entryAt(at, ENTRY_KIND.DATA, encodeCommand(command))
}

const name = fc.constantFrom('a', 'b', 'a.b', 'constructor')
/** Most of them are new, some come again. */
const requestId = fc.nat(30).map((number) => `r${number}`)
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const replicas = fc.constantFrom<readonly number[]>(
  [1, 2, 3],
  [3, 1, 2],
  [2, 3],
  [1],
  [1, 1],
  [9],
) as fc.Arbitrary<readonly BrokerId[]>
const partitions = fc.array(replicas, { minLength: 1, maxLength: 3 })
const change = fc.record(
  { maxLagMs: fc.constantFrom(50, 200), minInSync: fc.constantFrom(2, null), closed: fc.boolean() },
  { requiredKeys: [] },
)

const operation = fc.constantFrom('op1', 'op2', 'op3', 'op4', 'op5', 'op6')
const group = fc.integer({ min: 1, max: 4 }).map(groupId)
const target = fc.subarray([1, 2, 3, 4].map(brokerId), { minLength: 1 })
const atMs = fc.nat(9)
const someBroker = fc.integer({ min: 1, max: 4 }).map(brokerId)

const otherStore = fc.constantFrom(storeId('e'.repeat(32)), storeId('f'.repeat(32)))

const wishArbitrary: fc.Arbitrary<OperationWish> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('move-replicas' as const),
      topic: name,
      topicId: fc.constantFrom('t1', 't1', 't2'),
      partition: fc.nat(2),
      target,
    }),
  },
  fc.record({ kind: fc.constantFrom('drain-broker' as const, 'repair-broker' as const), broker: someBroker }),
  fc.record({ kind: fc.constant('remove-broker' as const), broker: someBroker, isForced: fc.boolean() }),
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('replace-store' as const),
      broker: someBroker,
      store: otherStore,
    }),
  },
)

/** Operations and their steps in any order: most of them come too late or too early. */
const operationArbitrary: fc.Arbitrary<OperationCommand> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('startOperation' as const),
      requestId: fc.string({ minLength: 3, maxLength: 8 }),
      startedAtMs: atMs,
      wish: wishArbitrary,
    }),
  },
  fc.record({
    kind: fc.constant('changeReplicas' as const),
    operation,
    group,
    configuration: fc.integer({ min: 1, max: 3 }),
    target,
  }),
  fc.record({ kind: fc.constant('abandonChange' as const), operation, group }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('switchReplicas' as const), operation, group }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('recordConfiguration' as const),
      group,
      number: fc.integer({ min: 1, max: 5 }),
      replicas: target,
      stores: fc.option(fc.array(otherStore, { minLength: 1, maxLength: 4 }), { nil: undefined }),
      atMs,
    }),
  },
  fc.record({ kind: fc.constant('cancelOperation' as const), operation, atMs }),
  fc.record({
    kind: fc.constant('endOperation' as const),
    operation,
    state: fc.constantFrom('done' as const, 'failed' as const),
    atMs,
  }),
  fc.record({ kind: fc.constant('activateBroker' as const), broker: someBroker }),
)

/** Commands over few names, so that they meet; some of them are wrong. */
export const commandArbitrary: fc.Arbitrary<Command> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Command>({ kind: 'formCluster', clusterId: 'c' }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom('d', 'e'), fc.boolean())
      .map(([id, failureDomain, isOther]) => {
        const store = isOther ? { store: 'f'.repeat(32) } : {}
        return { kind: 'registerBroker', broker: brokerInfo(id, { failureDomain, ...store }) } as const
      }),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({ name, requestId, partitions, config: change })
      .map((made) => createTopic({ ...made, partitions: made.partitions.map((each) => [...each]) })),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('alterTopic' as const),
      name,
      requestId,
      ifRevision: optional(fc.integer({ min: 1, max: 3 })),
      config: optional(change),
      addPartitions: optional(fc.record({ after: fc.integer({ min: 1, max: 3 }), replicas: partitions })),
    }) satisfies fc.Arbitrary<AlterTopic>,
  },
  { weight: 12, arbitrary: operationArbitrary },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('replaceStore' as const),
      broker: someBroker,
      store: otherStore,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('deleteTopic' as const),
      name,
      ifRevision: optional(fc.integer({ min: 1, max: 3 })),
      topicId: optional(fc.constantFrom('t1', 't2')),
    }),
  },
)

/** A log of the metadata from slot 1; it forms a cluster of brokers 1 to 3 first. */
export const metadataLogArbitrary: fc.Arbitrary<readonly Entry[]> = fc
  .array(
    fc.oneof(
      { weight: 12, arbitrary: commandArbitrary },
      { weight: 1, arbitrary: fc.constantFrom('noop', 'garbage') },
    ),
    {
      maxLength: 40,
      size: 'max',
    },
  )
  .map((steps) => [...formed(3), ...steps].map((step, index) => entryOf(step, index + 1)))

function entryOf(step: Command | string, at: number): Entry {
  if (step === 'noop') return noopAt(at)
  return typeof step === 'string' ? entryAt(at, ENTRY_KIND.DATA, Buffer.from(step)) : commandAt(at, step)
}

/** The commands that every cluster begins with. */
export function formed(brokerCount: number): Command[] {
  const registered = Array.from({ length: brokerCount }, (_, index) => brokerInfo(index + 1))
  return [
    { kind: 'formCluster', clusterId: 'c' },
    ...registered.map((broker) => ({ kind: 'registerBroker', broker }) as const),
  ]
}
