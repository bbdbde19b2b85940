import type { BrokerId } from '../types/ids.ts'

/**
 * A leader for each set of replicas, out of the set, so that the total leader counts are as even as the sets allow. Starts
 * with the least loaded member of each, then moves leaderships along chains of sets from a broker that has two more than
 * another; when no such chain is left nothing better exists (optimal semi-matching).
 */
export function balanceLeaders(
  sets: readonly (readonly BrokerId[])[],
  present: ReadonlyMap<BrokerId, number>,
): BrokerId[] {
  const counts = new Map(present)
  const countOf = (broker: BrokerId) => counts.get(broker) ?? 0
  const leaders: BrokerId[] = []
  const ledBy = new Map<BrokerId, Set<number>>()
  const setLeader = (index: number, leader: BrokerId) => {
    leaders[index] = leader
    ledBy.set(leader, (ledBy.get(leader) ?? new Set()).add(index))
  }
  for (const [index, set] of sets.entries()) {
    const leader = set.reduce((best, broker) => (countOf(broker) < countOf(best) ? broker : best))
    setLeader(index, leader)
    counts.set(leader, countOf(leader) + 1)
  }
  for (;;) {
    const chain = chainFromFullest({ sets, ledBy, countOf })
    if (chain === undefined) return leaders
    counts.set(chain.from, countOf(chain.from) - 1)
    counts.set(chain.to, countOf(chain.to) + 1)
    for (const { index, from, to } of chain.moves) {
      ledBy.get(from)!.delete(index)
      setLeader(index, to)
    }
  }
}

interface Move {
  readonly index: number
  readonly from: BrokerId
  readonly to: BrokerId
}

interface Chain {
  readonly from: BrokerId
  readonly to: BrokerId
  readonly moves: readonly Move[]
}

interface Leaderships {
  readonly sets: readonly (readonly BrokerId[])[]
  readonly ledBy: ReadonlyMap<BrokerId, ReadonlySet<number>>
  readonly countOf: (broker: BrokerId) => number
}

/** A chain of moves from the fullest broker that has one to a broker with at least two fewer. */
function chainFromFullest(leaderships: Leaderships): Chain | undefined {
  const { ledBy, countOf } = leaderships
  const fullestFirst = [...ledBy.keys()].sort((a, b) => countOf(b) - countOf(a) || a - b)
  for (const from of fullestFirst) {
    const chain = chainFrom(from, leaderships)
    if (chain !== undefined) return chain
  }
  return undefined
}

/** Breadth first: a set that a reached broker leads may be led by any of its other members instead. */
function chainFrom(from: BrokerId, { sets, ledBy, countOf }: Leaderships): Chain | undefined {
  const reachedBy = new Map<BrokerId, Move | undefined>([[from, undefined]])
  const queue = [from]
  for (const broker of queue) {
    if (countOf(broker) <= countOf(from) - 2) return { from, to: broker, moves: movesTo(broker, reachedBy) }
    for (const index of ledBy.get(broker) ?? []) {
      for (const other of sets[index]!) {
        if (reachedBy.has(other)) continue
        reachedBy.set(other, { index, from: broker, to: other })
        queue.push(other)
      }
    }
  }
  return undefined
}

function movesTo(broker: BrokerId, reachedBy: ReadonlyMap<BrokerId, Move | undefined>): Move[] {
  const moves: Move[] = []
  for (let move = reachedBy.get(broker); move !== undefined; move = reachedBy.get(move.from)) moves.push(move)
  return moves
}
