import type { BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { SynodError } from '../errors.ts'
import { balanceLeaders } from './leader-balance.ts'

/** A broker that may hold replicas, with what it carries already. */
export interface BrokerLoad {
  readonly id: BrokerId
  readonly failureDomain: string
  readonly replicaCount: number
  /** Partitions that prefer it as their leader. */
  readonly leaderCount: number
}

export interface PlacementRequest {
  readonly partitionCount: number
  readonly replicationFactor: number
  readonly brokers: readonly BrokerLoad[]
  /** Breaks ties, so that not the same brokers share all their partitions. Any u32. */
  readonly seed: number
}

class Candidate {
  readonly id: BrokerId
  replicaCount: number
  /** Order among equals, drawn anew for each partition. */
  draw = 0

  constructor(broker: BrokerLoad) {
    this.id = broker.id
    this.replicaCount = broker.replicaCount
  }
}

class Domain {
  readonly candidates: Candidate[] = []
  replicaCount = 0
  /** Replicas of the partition that is being placed. */
  chosenCount = 0
  draw = 0

  get averageLoad(): number {
    return this.replicaCount / this.candidates.length
  }

  get isUsedUp(): boolean {
    return this.chosenCount === this.candidates.length
  }
}

/**
 * The replicas of new partitions; the first of each is its preferred leader. Pure: the same request gives the same answer.
 * - The replicas of a partition are on different brokers, in as many failure domains as there are (or as it has replicas).
 * - Domains get replicas evenly by their number of brokers, brokers evenly within a domain: with domains of equal size no
 *   broker of a fresh cluster holds more than one replica more than another.
 * - Preferred leaders are spread as evenly as the replicas allow, which is within one when the replicas are.
 * - Second places are spread too, because whoever is second takes over first: a broker's leaderships scatter when it dies.
 *
 * Error: 'not-enough-brokers'.
 */
export function place(request: PlacementRequest): BrokerId[][] {
  const { partitionCount, replicationFactor, brokers } = request
  invariant(partitionCount >= 1 && replicationFactor >= 1, 'A placement has partitions and replicas.')
  if (brokers.length < replicationFactor) {
    throw new SynodError(
      'not-enough-brokers',
      `${replicationFactor} replicas need ${replicationFactor} brokers; there are ${brokers.length}.`,
      {
        hint: `Ask for a replicationFactor of at most ${brokers.length}, or start more brokers.`,
        facts: { replicationFactor, brokers: brokers.length },
      },
    )
  }
  const random = generator(request.seed)
  const domains = domainsOf(brokers)
  const sets: BrokerId[][] = []
  for (let index = 0; index < partitionCount; index++)
    sets.push(chooseReplicas(domains, replicationFactor, random))
  const leaders = balanceLeaders(sets, new Map(brokers.map((broker) => [broker.id, broker.leaderCount])))
  return orderReplicas(sets, leaders)
}

function domainsOf(brokers: readonly BrokerLoad[]): Domain[] {
  const domains = new Map<string, Domain>()
  for (const broker of [...brokers].sort((a, b) => a.id - b.id)) {
    const domain = domains.get(broker.failureDomain) ?? new Domain()
    domains.set(broker.failureDomain, domain)
    domain.candidates.push(new Candidate(broker))
    domain.replicaCount += broker.replicaCount
  }
  return [...domains.values()]
}

function chooseReplicas(
  domains: readonly Domain[],
  replicationFactor: number,
  random: () => number,
): BrokerId[] {
  for (const domain of domains) {
    domain.chosenCount = 0
    domain.draw = random()
    for (const candidate of domain.candidates) candidate.draw = random()
  }
  const chosen: BrokerId[] = []
  while (chosen.length < replicationFactor) {
    const domain = least(
      domains.filter((each) => !each.isUsedUp),
      (a, b) => a.chosenCount - b.chosenCount || a.averageLoad - b.averageLoad || a.draw - b.draw,
    )
    const candidate = least(
      domain.candidates.filter((each) => !chosen.includes(each.id)),
      (a, b) => a.replicaCount - b.replicaCount || a.draw - b.draw,
    )
    candidate.replicaCount++
    domain.replicaCount++
    domain.chosenCount++
    chosen.push(candidate.id)
  }
  return chosen
}

function least<T>(items: readonly T[], compare: (a: T, b: T) => number): T {
  const first = items[0]
  invariant(first !== undefined, 'There is a broker left for every replica.')
  return items.reduce((best, item) => (compare(item, best) < 0 ? item : best), first)
}

/** The leader first, then by how seldom a broker is in that place so far. */
function orderReplicas(sets: readonly BrokerId[][], leaders: readonly BrokerId[]): BrokerId[][] {
  const secondCounts = new Map<BrokerId, number>()
  const countOf = (broker: BrokerId) => secondCounts.get(broker) ?? 0
  return sets.map((set, index) => {
    const leader = leaders[index]!
    const followers = set.filter((broker) => broker !== leader).sort((a, b) => countOf(a) - countOf(b))
    const second = followers[0]
    if (second !== undefined) secondCounts.set(second, countOf(second) + 1)
    return [leader, ...followers]
  })
}

/** Mulberry32: the same seed gives the same numbers in [0, 1). */
function generator(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
