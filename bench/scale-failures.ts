import { planChanges, type Picture } from '../src/controller/operation-plan.ts'
import { CHANGES_MAX } from '../src/controller/operation-rounds.ts'
import {
  beginChange,
  carriersOf,
  recordConfiguration,
  switchOver,
} from '../src/controller/placement-change.ts'
import { place, type BrokerLoad } from '../src/controller/placement.ts'
import { encodeMessageFrame } from '../src/transport/frames.ts'
import { brokerId, groupId, topicId, type BrokerId } from '../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG, type PartitionPlacement } from '../src/types/topic.ts'
import { VirtualCluster } from '../test/paxos/virtual-cluster.ts'

const REPLICATION_FACTOR = 3
const RECORD_BYTES = 1_024
/** Until two live replicas that hear each other have agreed on a leader and have nothing left to say. */
const TAKEOVER_MS = 2_000

export interface TakeoverFigures {
  /** Between the two replicas that are left, both ways. */
  readonly messageCount: number
  /** As frames of the lanes. */
  readonly bytes: number
  readonly persistCount: number
}

/** What one group of three exchanges when its leader dies; one that is left lacks the last `lackedCount` entries of 1 KiB. */
export function takeoverFigures(lackedCount: number): TakeoverFigures {
  const cluster = new VirtualCluster({ size: REPLICATION_FACTOR })
  cluster.link()
  cluster.run(TAKEOVER_MS)
  const dying = cluster.leader!.id
  const [, behind] = cluster.replicas.map(({ id }) => id).filter((id) => id !== dying)
  cluster.propose(dying, 'first')
  cluster.run(TAKEOVER_MS)
  for (let count = 0; count < lackedCount; count++) {
    cluster.propose(dying, 'x'.repeat(RECORD_BYTES))
    while (cluster.wire.length > 0 || cluster.makeDurable(dying)) {
      cluster.wire = cluster.wire.filter(({ to }) => to !== behind)
      for (const letter of cluster.wire.slice()) cluster.deliver(letter)
      for (const { id } of cluster.replicas) cluster.makeDurable(id)
    }
  }
  cluster.crash(dying)
  const figures = { messageCount: 0, bytes: 0, persistCount: 0 }
  cluster.onEffect = (_, effect) => {
    if (effect.kind === 'persist') figures.persistCount++
    if (effect.kind !== 'send' || effect.to === brokerId(dying)) return
    figures.messageCount++
    figures.bytes += encodeMessageFrame(groupId(1), effect.message).byteLength
  }
  cluster.link()
  cluster.run(TAKEOVER_MS)
  return figures
}

export interface DepartureFigures {
  readonly moveCount: number
  /** Brokers that get something to copy, and the most that one of them gets. */
  readonly takerCount: number
  readonly takenMax: number
  readonly replicasMin: number
  readonly replicasMax: number
  /** Entries in the metadata's log, each of which goes to every broker. */
  readonly commandCount: number
}

/** What the real plan makes of the departure of one broker from a fresh cluster, `CHANGES_MAX` partitions at a time. */
export function departureFigures(
  brokerCount: number,
  domainCount: number,
  partitionCount: number,
): DepartureFigures {
  const ids = Array.from({ length: brokerCount }, (_, index) => brokerId(index + 1))
  const domainOf = (id: BrokerId) => `d${id % domainCount}`
  const fresh = ids.map((id) => ({ id, failureDomain: domainOf(id), replicaCount: 0, leaderCount: 0 }))
  const sets = place({ partitionCount, replicationFactor: REPLICATION_FACTOR, brokers: fresh, seed: 1 })
  const partitions: PartitionPlacement[] = sets.map((replicas, index) => ({
    partition: index,
    group: groupId(index + 1),
    replicas,
    configuration: 1,
    learners: [],
  }))
  const subject = { kind: 'drain-broker', broker: ids[0]! } as const
  const taken = new Map<BrokerId, number>()
  const figures = { moveCount: 0, commandCount: 2 }
  for (;;) {
    const picture = pictureOf(partitions, ids, domainOf, subject.broker)
    const planned = planChanges(subject, picture, CHANGES_MAX)
    if (planned.length === 0) break
    for (const { group, configuration, target } of planned) {
      const index = group - 1
      const before = partitions[index]!
      const taker = target.find((id) => !before.replicas.includes(id))!
      taken.set(taker, (taken.get(taker) ?? 0) + 1)
      // changeReplicas, switchReplicas, recordConfiguration
      figures.commandCount += 3
      figures.moveCount++
      const switching = switchOver(beginChange(before, 'departure', target))
      partitions[index] = recordConfiguration(switching, configuration + 1, target)
    }
  }
  const counts = loadsOf(partitions, ids, domainOf)
    .filter(({ id }) => id !== subject.broker)
    .map(({ replicaCount }) => replicaCount)
  return {
    ...figures,
    takerCount: taken.size,
    takenMax: Math.max(...taken.values()),
    replicasMin: Math.min(...counts),
    replicasMax: Math.max(...counts),
  }
}

function pictureOf(
  partitions: readonly PartitionPlacement[],
  ids: readonly BrokerId[],
  domainOf: (id: BrokerId) => string,
  leaving: BrokerId,
): Picture {
  const topic = {
    id: topicId('t1'),
    name: 'load',
    config: DEFAULT_TOPIC_CONFIG,
    partitions,
    createdAtMs: 0,
    revision: 1,
  }
  return {
    topics: () => [topic],
    loads: loadsOf(partitions, ids, domainOf).filter(({ id }) => id !== leaving),
    failureDomainOf: domainOf,
    isAlive: () => true,
  }
}

function loadsOf(
  partitions: readonly PartitionPlacement[],
  ids: readonly BrokerId[],
  domainOf: (id: BrokerId) => string,
): BrokerLoad[] {
  const replicaCounts = new Map(ids.map((id) => [id, 0]))
  for (const placement of partitions)
    for (const id of carriersOf(placement)) replicaCounts.set(id, replicaCounts.get(id)! + 1)
  return ids.map((id) => ({
    id,
    failureDomain: domainOf(id),
    replicaCount: replicaCounts.get(id)!,
    leaderCount: 0,
  }))
}
