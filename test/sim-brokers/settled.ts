import type { AnyReplica } from '../../src/partition/registry.ts'
import type { Configuration } from '../../src/paxos/state.ts'
import { CONTROLLER_GROUP, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { BrokerProcess } from './broker.ts'
import type { BrokersScene } from './scene.ts'
import { changesMembers } from './swarm.ts'

/** More than a run makes. */
const TOPICS_MAX = 1_000_000
/**
 * Heartbeat, look at the free space, comparison with other brokers, note of what is known of stores, two kinds of the
 * controller's rounds, look whether others are heard.
 */
const TIMERS_MAX = 7
/** What the metadata's learner asks for, and brokers that were removed lately: they hear of it for a while. */
const CHANGE_TIMERS_MAX = 5

/** The topics as the metadata of one broker has them. */
export function topicsOf(process: BrokerProcess): readonly Topic[] {
  return process.composition.ports.topics.list({ prefix: '', after: '', limit: TOPICS_MAX })
}

export function replicasOf({ composition }: BrokerProcess): readonly AnyReplica[] {
  const { registry } = composition.engine
  const partitions = [...registry.partitions()].map(({ replica }) => replica)
  const controller = registry.replica(CONTROLLER_GROUP)
  return controller === undefined ? partitions : [controller, ...partitions]
}

/** Who votes in a group, by the newest configuration that any broker knows; undefined when none has a replica of it. */
export function votersOf(scene: BrokersScene, group: GroupId): readonly BrokerId[] | undefined {
  let newest: Configuration | undefined
  for (const { process } of scene.brokers.values()) {
    const configuration = process?.composition.engine.registry.replica(group)?.paxos.configuration
    if (configuration !== undefined && configuration.number > (newest?.number ?? -1)) newest = configuration
  }
  return newest?.voters.map(({ broker }) => broker)
}

/**
 * Whether each group that this broker votes in has two other voters at least that stay: with fewer the loss of its disk can be a loss
 * for good.
 */
export function isDispensable(scene: BrokersScene, id: BrokerId): boolean {
  const groups = new Set<GroupId>()
  const leaving = new Set<BrokerId>()
  for (const { process } of scene.brokers.values()) {
    if (process === undefined) continue
    for (const { group } of replicasOf(process)) groups.add(group)
    for (const { id: broker, membership } of process.composition.control?.group.metadata.brokers() ?? [])
      if (membership !== 'active') leaving.add(broker)
  }
  return [...groups].every((group) => {
    const voters = votersOf(scene, group) ?? []
    return !voters.includes(id) || voters.filter((voter) => voter === id || !leaving.has(voter)).length >= 3
  })
}

/** Undefined when nothing changes any more who holds replicas, and each broker holds exactly what is placed on it. */
export function whyNotPlaced(scene: BrokersScene): string | undefined {
  for (const { id, process, isReady } of scene.brokers.values()) {
    if (process === undefined || !isReady) return `broker ${id} is not ready`
    const { engine, control } = process.composition
    const metadata = control!.group.metadata
    const [operation] = metadata.runningOperations()
    if (operation !== undefined) return `broker ${id} knows a running operation: ${JSON.stringify(operation)}`
    const [change] = metadata.changing()
    if (change !== undefined) return `broker ${id} knows a change: ${JSON.stringify(change)}`
    for (const topic of metadata.topics())
      for (const { partition, group, replicas } of topic.partitions)
        if (replicas.includes(id) !== (engine.registry.partition(group) !== undefined))
          return `broker ${id} holds ${topic.name}/${partition} (g${group}), which is placed on ${replicas.join(', ')}, or does not`
  }
  return undefined
}

/** Undefined when every replica of every group holds and has applied the same log; else what is missing. */
export function whyNotConverged(scene: BrokersScene): string | undefined {
  const throughs = new Map<GroupId, number>()
  const leaderCounts = new Map<GroupId, number>()
  const topics = new Set<string>()
  for (const broker of scene.brokers.values()) {
    const { process } = broker
    if (process === undefined || !broker.isReady) return `broker ${broker.id} is not ready`
    topics.add(JSON.stringify(topicsOf(process)))
    for (const replica of replicasOf(process)) {
      const { group, paxos, isLeader } = replica
      leaderCounts.set(group, (leaderCounts.get(group) ?? 0) + (isLeader ? 1 : 0))
      const through = throughs.get(group) ?? paxos.through
      throughs.set(group, through)
      if (paxos.damagedCount > 0)
        return `g${group} broker ${broker.id}: ${paxos.damagedCount} entries are damaged`
      if (paxos.through !== through || paxos.commit !== through)
        return `g${group} broker ${broker.id}: ${paxos.role} ${paxos.status}, commit ${paxos.commit}, through ${paxos.through} of ${through}`
    }
  }
  if (topics.size !== 1) return `brokers know ${topics.size} different lists of topics`
  for (const [group, count] of leaderCounts) if (count !== 1) return `g${group} has ${count} leaders`
  return undefined
}

/** Undefined when nobody has anything left to do: an idle group costs no timer and next to no memory. */
export function whyNotIdle(scene: BrokersScene): string | undefined {
  for (const broker of scene.brokers.values()) {
    const { process } = broker
    if (process === undefined) return `broker ${broker.id} does not run`
    // Who does not vote on the metadata asks for what is new, again and again.
    const all = replicasOf(process)
    const voting = all.filter(({ paxos }) => paxos.isVoter)
    for (const { group, paxos } of voting)
      if (paxos.deadlineMs !== undefined || paxos.memoryBytes > 0)
        return `g${group} broker ${broker.id}: ${paxos.role}, tick at ${paxos.deadlineMs}, ${paxos.memoryBytes} bytes`
    const spare = changesMembers(scene.swarm) ? CHANGE_TIMERS_MAX : 0
    if (process.clock.timerCount > TIMERS_MAX + spare)
      return `broker ${broker.id} has ${process.clock.timerCount} timers`
    if (process.store.isSyncing) return `broker ${broker.id} writes`
  }
  return undefined
}
