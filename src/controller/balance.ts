import type { BrokerId, GroupId } from '../types/ids.ts'

/** Moves in one round; rounds are at least a second apart. */
export const MOVES_MAX = 10
/** A broker that returned keeps away from leading for so long: it may be about to go again. */
export const SETTLED_AFTER_MS = 60_000
/** A broker may lead so much more than its share before anything is moved. */
const TOLERATED_PERCENT = 110

/** A partition that is led although another broker, its preferred leader, could lead it. */
export interface Stray {
  readonly group: GroupId
  readonly to: BrokerId
}

/** What a broker says of what it leads. */
export interface LeadershipReport {
  /** Since the broker's start. */
  readonly upMs: number
  /** It is about to stop, or its disk has no room. */
  readonly isUnfit: boolean
  /** Partitions that it leads. */
  readonly ledCount: number
  /** Some of those that it would give back: the preferred leader is in sync and alive. Bounded by who reports. */
  readonly strays: readonly Stray[]
}

export interface Move extends Stray {
  readonly from: BrokerId
}

/**
 * Which leaderships go back to their preferred leaders now, at most `MOVES_MAX`. Pure. A broker gives back what it leads
 * beyond its share (the partitions that prefer it), once that is more than a tenth; never to a broker that came a moment ago
 * or is unfit. Brokers take turns, the one with the largest excess first.
 */
export function decideMoves(
  reports: ReadonlyMap<BrokerId, LeadershipReport>,
  shares: ReadonlyMap<BrokerId, number>,
): readonly Move[] {
  const givers = [...reports]
    .map(([broker, report]) => ({
      broker,
      excess: report.ledCount - (shares.get(broker) ?? 0),
      strays: report.strays.filter(({ to }) => canTake(reports.get(to))),
    }))
    .filter(({ broker, excess }) => isTooMuch(excess, shares.get(broker) ?? 0))
    .sort((a, b) => b.excess - a.excess || a.broker - b.broker)
  const moves: Move[] = []
  for (let turn = 0; moves.length < MOVES_MAX; turn++) {
    const before = moves.length
    for (const { broker, excess, strays } of givers) {
      const stray = strays[turn]
      if (stray === undefined || turn >= excess || moves.length === MOVES_MAX) continue
      moves.push({ ...stray, from: broker })
    }
    if (moves.length === before) break
  }
  return moves
}

function isTooMuch(excess: number, share: number): boolean {
  return excess > 0 && (share + excess) * 100 > share * TOLERATED_PERCENT
}

function canTake(report: LeadershipReport | undefined): boolean {
  return report !== undefined && !report.isUnfit && report.upMs >= SETTLED_AFTER_MS
}
