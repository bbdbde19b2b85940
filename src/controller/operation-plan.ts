import type { BrokerId, GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Operation } from '../types/operation.ts'
import type { PartitionPlacement, Topic } from '../types/topic.ts'
import type { BrokerLoad } from './placement.ts'

/** What the next steps of an operation are decided from. Pure functions of it. */
export interface Picture {
  topics(): Iterable<Topic>
  /** Brokers that may get replicas, with what they carry. */
  readonly loads: readonly BrokerLoad[]
  /** Of any broker, also of one that leaves. */
  failureDomainOf(broker: BrokerId): string | undefined
  isAlive(broker: BrokerId): boolean
}

export interface PlannedChange {
  readonly group: GroupId
  readonly configuration: number
  readonly target: readonly BrokerId[]
}

type BrokerOperation = Exclude<
  Operation['subject'],
  { kind: 'move-replicas' | 'replace-store' | 'unsafe-recover' }
>

/**
 * Which partitions of a broker begin to move next, at most `countMax`, and where to. Each replica goes to the least loaded live
 * broker, in another failure domain than the others if there is one. Without any broker to go to a replica waits; when its
 * broker is gone for good the partition does without it.
 */
export function planChanges(subject: BrokerOperation, picture: Picture, countMax: number): PlannedChange[] {
  const planned: PlannedChange[] = []
  const added = new Map<BrokerId, number>()
  for (const topic of picture.topics()) {
    for (const placement of topic.partitions) {
      if (planned.length >= countMax) return planned
      if (placement.change !== undefined || !placement.replicas.includes(subject.broker)) continue
      const target = targetWithout(subject, placement, picture, added)
      if (target === undefined) continue
      for (const broker of target)
        if (!placement.replicas.includes(broker)) added.set(broker, (added.get(broker) ?? 0) + 1)
      planned.push({ group: placement.group, configuration: placement.configuration, target })
    }
  }
  return planned
}

function targetWithout(
  subject: BrokerOperation,
  { replicas }: PartitionPlacement,
  picture: Picture,
  added: ReadonlyMap<BrokerId, number>,
): BrokerId[] | undefined {
  const stay = replicas.filter((broker) => broker !== subject.broker)
  const others = picture.loads.filter(({ id }) => id !== subject.broker && !replicas.includes(id))
  if (others.length === 0) {
    const mayShrink = subject.kind === 'remove-broker' && subject.isForced && stay.length > 0
    return mayShrink ? stay : undefined
  }
  const domains = new Set(stay.map((broker) => picture.failureDomainOf(broker)))
  const weight = (load: BrokerLoad) => load.replicaCount + (added.get(load.id) ?? 0)
  const [best] = others
    .filter(({ id }) => picture.isAlive(id))
    .sort(
      (a, b) =>
        Number(domains.has(a.failureDomain)) - Number(domains.has(b.failureDomain)) ||
        weight(a) - weight(b) ||
        a.id - b.id,
    )
  return best === undefined
    ? undefined
    : replicas.map((broker) => (broker === subject.broker ? best.id : broker))
}

/** Whether some replica of the broker has no other broker to go to, alive or not: waiting would not help. */
export function isStuck(subject: BrokerOperation, picture: Picture): boolean {
  for (const topic of picture.topics()) {
    for (const { replicas } of topic.partitions) {
      if (!replicas.includes(subject.broker)) continue
      if (picture.loads.every(({ id }) => id === subject.broker || replicas.includes(id))) return true
    }
  }
  return false
}

/** So many vote on the metadata of a cluster of so many brokers; founders that are more keep their votes. */
function votersWanted(brokerCount: number): number {
  if (brokerCount <= 2) return brokerCount
  return brokerCount >= 5 ? 5 : 3
}

/**
 * Who should vote on the metadata; undefined when it is as it should be. Voters that leave are replaced, and a cluster that grew
 * gets up to five, always an odd number where there are three brokers or more. Who votes already goes on voting if possible.
 */
export function controllerVoters(now: {
  readonly voters: readonly BrokerId[]
  /** Members that stay, in the order of their ids. */
  readonly staying: readonly BrokerId[]
  readonly self: BrokerId
  isAlive(broker: BrokerId): boolean
}): readonly BrokerId[] | undefined {
  const { voters, staying, self, isAlive } = now
  invariant(staying.length > 0, 'A cluster keeps a broker.')
  const kept = voters.filter((broker) => staying.includes(broker))
  const wanted = votersWanted(staying.length)
  if (kept.length === voters.length && kept.length >= wanted) return undefined
  const size = atMostOdd(Math.max(kept.length, wanted))
  const spare = staying.filter((broker) => !kept.includes(broker) && isAlive(broker))
  // The controller itself is dropped last: it has to order the change. Without enough live brokers the number may be even.
  const ranked = [...kept.toSorted((a, b) => Number(b === self) - Number(a === self) || a - b), ...spare]
  const next = ranked.slice(0, size).toSorted((a, b) => a - b)
  const isSame = next.length === voters.length && next.every((broker) => voters.includes(broker))
  return next.length === 0 || isSame ? undefined : next
}

/** An even number of voters above two survives no more than one fewer. */
function atMostOdd(count: number): number {
  return count > 2 && count % 2 === 0 ? count - 1 : count
}
