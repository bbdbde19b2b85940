import type { GroupId } from '../types/ids.ts'
import { GROUP_ID_MAX } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'

/** A replica may come back to a broker so many times. */
export const LIVES_MAX = 255
const NUMBERS_PER_LIFE = GROUP_ID_MAX + 1

/** Ended for good: the group is gone everywhere. */
export const FOR_GOOD = 0

/**
 * A replica that was deleted here may be made anew, while the rows of the one before are still being freed. So each life of a
 * group has a number of its own, by which journal and index know it: the group id in the lower 24 bits, how many lives went
 * before in the upper 8. Below this class nothing knows that two numbers are one group, so nothing of one life can be taken
 * for a part of another.
 */
export class Lives {
  /** The number of a group's newest life, where that is not its first. */
  readonly #newest = new Map<GroupId, GroupId>()
  /** Lives that have ended, by number: FOR_GOOD, or the configuration above which the next one votes. */
  readonly #ended = new Map<GroupId, number>()

  /** The number of the group's newest life. */
  numberOf(group: GroupId): GroupId {
    return this.#newest.get(group) ?? group
  }

  /** Notes a number that a start found. */
  found(number: GroupId): void {
    const group = groupOf(number)
    if (number > this.numberOf(group)) this.#newest.set(group, number)
  }

  /** The newest life of the group is over. `minConfiguration` FOR_GOOD: there will be no other. */
  end(number: GroupId, minConfiguration: number): void {
    this.#ended.set(number, minConfiguration)
  }

  /** The newest life of the group is over, and no other has begun. */
  isOver(group: GroupId): boolean {
    return this.#ended.has(this.numberOf(group))
  }

  isOverForGood(group: GroupId): boolean {
    return this.#ended.get(this.numberOf(group)) === FOR_GOOD
  }

  /** The configuration above which a replica that begins now votes; 0 when none was here before. */
  minConfigurationOf(group: GroupId): number {
    return this.#ended.get(this.numberOf(group)) ?? 0
  }

  /** Begins another life when the newest one is over, and returns the number of the one that is not. */
  begin(group: GroupId): GroupId {
    invariant(group <= GROUP_ID_MAX, `Group ${group} has a higher id than any group may have.`)
    if (!this.isOver(group)) return this.numberOf(group)
    invariant(!this.isOverForGood(group), `Group ${group} was deleted; nothing more is written of it.`)
    const number = (this.numberOf(group) + NUMBERS_PER_LIFE) as GroupId
    invariant(number <= lastNumberOf(group), `Group ${group} was made here ${LIVES_MAX} times.`)
    this.#newest.set(group, number)
    return number
  }
}

/** The group that a number stands for. */
export function groupOf(number: GroupId): GroupId {
  return (number % NUMBERS_PER_LIFE) as GroupId
}

function lastNumberOf(group: GroupId): number {
  return group + LIVES_MAX * NUMBERS_PER_LIFE
}
