import type { Heartbeat } from '../src/detector/heartbeat.ts'
import { brokerId, type BrokerId, type StoreId } from '../src/types/ids.ts'
import { STARTS_MAX } from '../src/detector/starts.ts'
import { TOLD_MAX } from '../src/detector/seen-stores.ts'
import { place, type BrokerLoad } from '../src/controller/placement.ts'
import { ByteWriter } from '../src/transport/byte-writer.ts'
import { encodeHeartbeat } from '../src/transport/heartbeat-codec.ts'

const REPLICATION_FACTOR = 3
const HEARTBEATS_PER_SECOND = 10
/** A boot id is a UUID. */
const UUID_LENGTH = 36

export interface PlacementFigures {
  readonly replicasMin: number
  readonly replicasMax: number
  readonly leadersMin: number
  readonly leadersMax: number
  /** Brokers that are second in the partitions of one dead leader, the fewest over all leaders. */
  readonly heirsMin: number
  /** Partitions that one of those takes over, the most over all leaders. */
  readonly inheritedMax: number
}

/** What the real placement makes of a fresh cluster with `brokerCount` brokers in `domainCount` failure domains. */
export function placementFigures(
  brokerCount: number,
  domainCount: number,
  partitionCount: number,
): PlacementFigures {
  const brokers: BrokerLoad[] = idsOf(brokerCount).map((id) => ({
    id,
    failureDomain: `d${id % domainCount}`,
    replicaCount: 0,
    leaderCount: 0,
  }))
  const sets = place({ partitionCount, replicationFactor: REPLICATION_FACTOR, brokers, seed: 1 })
  const replicas = new Map(brokers.map(({ id }) => [id, 0]))
  const leaders = new Map(replicas)
  const heirs = new Map(brokers.map(({ id }) => [id, new Map<BrokerId, number>()]))
  for (const set of sets) {
    for (const id of set) replicas.set(id, replicas.get(id)! + 1)
    const [leader, second] = set
    leaders.set(leader!, leaders.get(leader!)! + 1)
    const inherited = heirs.get(leader!)!
    inherited.set(second!, (inherited.get(second!) ?? 0) + 1)
  }
  return {
    replicasMin: Math.min(...replicas.values()),
    replicasMax: Math.max(...replicas.values()),
    leadersMin: Math.min(...leaders.values()),
    leadersMax: Math.max(...leaders.values()),
    heirsMin: Math.min(...[...heirs.values()].map((each) => each.size)),
    inheritedMax: Math.max(...[...heirs.values()].flatMap((each) => [...each.values()])),
  }
}

export interface HeartbeatFigures {
  /** One heartbeat's payload by the real codec, without the frame around it and what HTTP and TCP add. */
  readonly payloadBytes: number
  readonly clusterMessagesPerSecond: number
  readonly brokerBytesPerSecond: number
}

/** Every broker tells every other one each 100 ms, and names in it all that it hears. */
export function heartbeatFigures(brokerCount: number): HeartbeatFigures {
  const payloadBytes = encodedHeartbeat(brokerCount).length
  const peers = brokerCount - 1
  return {
    payloadBytes,
    clusterMessagesPerSecond: brokerCount * peers * HEARTBEATS_PER_SECOND,
    brokerBytesPerSecond: peers * HEARTBEATS_PER_SECOND * payloadBytes,
  }
}

/** A full heartbeat as in a cluster of `brokerCount` that has run long. */
export function encodedHeartbeat(brokerCount: number): Buffer {
  const bootId = 'b'.repeat(UUID_LENGTH)
  const storeId = 'a'.repeat(32) as StoreId
  const walSeq = 1_000_000_000
  const heartbeat: Heartbeat = {
    bootId,
    sequence: 10_000_000,
    acknowledged: 10_000_000,
    heard: idsOf(brokerCount - 1),
    stalled: false,
    draining: false,
    full: false,
    store: {
      storeId,
      starts: Array.from({ length: STARTS_MAX }, () => ({ bootId, recovered: walSeq })),
      durableLsn: walSeq,
      isOutsider: false,
      view: { bootId, lost: 0 },
      seen: Array.from({ length: TOLD_MAX }, () => ({ storeId, bootId, walSeq })),
    },
  }
  const writer = new ByteWriter()
  encodeHeartbeat(writer, heartbeat)
  return Buffer.concat(writer.finish())
}

function idsOf(count: number): BrokerId[] {
  return Array.from({ length: count }, (_, index) => brokerId(index + 1))
}
