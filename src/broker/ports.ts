import type { BrokerId } from '../types/ids.ts'
import type { Topic } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { ClusterStatus, Health } from '../controller/cluster.ts'
import type { Operations } from '../controller/operations.ts'
import type { TopicDirectory } from '../controller/topics.ts'
import type { PartitionState, PaxosState, Ports } from '../gateway/ports.ts'
import type { GroupState, Inspector } from '../partition/inspect.ts'
import type { PartitionLog } from '../partition/log.ts'
import type { LeaderMoves } from '../partition/move-leader.ts'

/** What exists only once the broker belongs to a cluster. */
export interface Services {
  readonly log: PartitionLog
  readonly directory: TopicDirectory
  readonly operations: Operations
  readonly inspector: Inspector
  readonly moves: LeaderMoves
  readonly status: ClusterStatus
}

/**
 * The gateway's ports, filled by the broker's parts. The public listener is open from the beginning, so that a taken port is
 * told at once and probes are answered; until the services exist every call says that the broker is starting.
 */
export function gatewayPorts(options: {
  readonly self: BrokerId
  readonly clusterId: () => string
  readonly services: () => Services | undefined
  readonly health: () => Health
}): Ports {
  const services = () => {
    const found = options.services()
    if (found !== undefined) return found
    throw new SynodError('no-leader', 'This broker is starting: it is not part of a cluster yet.', {
      hint: 'Wait until /readyz answers 200; all founding brokers must be up when a cluster is made.',
      retryAfterMs: 1_000,
    })
  }
  return {
    log: {
      append: async (request) => services().log.append(request),
      read: async (request) => services().log.read(request),
      resolve: async (topic, partition, position, freshness) =>
        services().log.resolve(topic, partition, position, freshness),
      leaderOf: (topic, partition) => options.services()?.log.leaderOf(topic, partition),
    },
    topics: {
      find: async (name, options) => services().directory.find(name, options),
      list: (query) => services().directory.list(query),
      suggest: (name) => options.services()?.directory.suggest(name),
      create: async (name, spec) => services().directory.create(name, spec),
      alter: async (name, change, ifRevision) => services().directory.alter(name, change, ifRevision),
      delete: async (name, ifRevision) => services().directory.delete(name, ifRevision),
      describe: async (topic) => describe(topic, await services().inspector.topic(topic)),
      moveLeader: async (topic, partition, to) => services().moves.move(topic, partition, to),
      trim: async (topic, partition, beforeOffset) => services().log.trim(topic, partition, beforeOffset),
      paxos: async (topic, partition) => paxosState(await services().inspector.partition(topic, partition)),
    },
    operations: {
      list: () => options.services()?.operations.list() ?? [],
      find: async (id) => services().operations.find(id),
      moveReplicas: async (topic, partition, target) =>
        services().operations.moveReplicas(topic, partition, target),
      drain: async (broker) => services().operations.drain(broker),
      remove: async (broker, isForced) => services().operations.remove(broker, isForced),
      activate: async (broker) => services().operations.activate(broker),
      cancel: async (id) => services().operations.cancel(id),
    },
    cluster: {
      broker: options.self,
      get clusterId() {
        return options.clusterId()
      },
      controller: () => options.services()?.status.controller(),
      brokers: () => options.services()?.status.brokers() ?? [],
      health: options.health,
    },
  }
}

function describe(topic: Topic, states: readonly (GroupState | undefined)[]): readonly PartitionState[] {
  return topic.partitions.map(({ partition, replicas }) => {
    const state = states[partition]
    const isLeaders = state?.role === 'leader'
    return {
      partition,
      leader: state?.leader,
      replicas,
      inSync: isLeaders
        ? state.replicas.filter((voter) => voter.inSync).map((voter) => voter.broker)
        : undefined,
      logStart: state?.logStart,
      highWatermark: state?.highWatermark,
      sizeBytes: state?.sizeBytes,
    }
  })
}

function paxosState(state: GroupState): PaxosState {
  const {
    answeredBy,
    ballot,
    leader,
    role,
    promised,
    accepted,
    acceptedSlot,
    chosen,
    highWatermark,
    replicas,
  } = state
  return {
    answeredBy,
    ballot,
    leader,
    role,
    promised,
    accepted,
    acceptedSlot,
    chosen,
    highWatermark,
    replicas,
  }
}
