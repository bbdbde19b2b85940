import type { BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Member } from '../types/topic.ts'

/** The brokers of the metadata, those that were removed among them: their ids are remembered with their stores. */
export class MemberTable {
  readonly #members = new Map<BrokerId, Member>()
  readonly #changed = new Set<BrokerId>()

  get size(): number {
    return this.#members.size
  }

  get(id: BrokerId): Member | undefined {
    return this.#members.get(id)
  }

  /** Undefined for one that was removed as well. */
  present(id: BrokerId): Member | undefined {
    const member = this.#members.get(id)
    return member?.membership === 'removed' ? undefined : member
  }

  /** In order of their ids, those that were removed left out. */
  allPresent(): readonly Member[] {
    return this.all().filter(({ membership }) => membership !== 'removed')
  }

  /** In order of their ids. */
  all(): readonly Member[] {
    return [...this.#members.values()].sort((a, b) => a.id - b.id)
  }

  /** Brokers that may get replicas. */
  active(): readonly Member[] {
    return this.all().filter(({ membership }) => membership === 'active')
  }

  put(member: Member): void {
    this.#members.set(member.id, member)
    this.#changed.add(member.id)
  }

  become(id: BrokerId, membership: Member['membership']): Member {
    const before = this.#members.get(id)
    invariant(before !== undefined, `Broker ${id} is registered when it becomes ${membership}.`)
    const member = { ...before, membership }
    this.put(member)
    return member
  }

  clear(): void {
    this.#members.clear()
    this.#changed.clear()
  }

  restore(member: Member): void {
    this.#members.set(member.id, member)
  }

  takeChanged(): readonly Member[] {
    const changed = [...this.#changed].map((id) => this.#members.get(id)!)
    this.#changed.clear()
    return changed
  }
}
