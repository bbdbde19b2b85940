import type { BrokerId, GroupId } from '../types/ids.ts'
import type { LinkView } from '../paxos/link-view.ts'
import type { Message } from '../paxos/messages.ts'
import type { Standing } from '../paxos/standing.ts'
import type { Partition } from './partition.ts'
import type { Replica } from './replica.ts'

/** What the registry needs of a group; the controller's group is one as well as each partition. */
export type AnyReplica = Pick<
  Replica<unknown>,
  | 'group'
  | 'paxos'
  | 'machine'
  | 'receive'
  | 'told'
  | 'exchange'
  | 'links'
  | 'standing'
  | 'resign'
  | 'transfer'
  | 'reconfigure'
  | 'setLearners'
  | 'isLeader'
>

/** Who is woken at once when a group gets a leader; more only wait out their time. */
export const WATCHERS_MAX = 10_000

/** All groups that this broker holds a replica of, and who waits for one of them to get a leader. */
export class Registry {
  readonly #replicas = new Map<GroupId, AnyReplica>()
  readonly #partitions = new Map<GroupId, Partition>()
  readonly #watchers = new Map<GroupId, Set<() => void>>()
  #links: LinkView | undefined
  #standing: Standing | undefined

  get replicaCount(): number {
    return this.#partitions.size
  }

  get leaderCount(): number {
    let count = 0
    for (const partition of this.#partitions.values()) if (partition.replica.isLeader) count++
    return count
  }

  addPartition(partition: Partition): void {
    this.#partitions.set(partition.group, partition)
    this.addReplica(partition.replica)
  }

  addReplica(replica: AnyReplica): void {
    this.#replicas.set(replica.group, replica)
    if (this.#links !== undefined) replica.links(this.#links)
    if (this.#standing !== undefined) replica.standing(this.#standing)
  }

  remove(group: GroupId): Partition | undefined {
    const partition = this.#partitions.get(group)
    this.#partitions.delete(group)
    this.#replicas.delete(group)
    this.leaderChanged(group)
    return partition
  }

  partition(group: GroupId): Partition | undefined {
    return this.#partitions.get(group)
  }

  partitions(): IterableIterator<Partition> {
    return this.#partitions.values()
  }

  /** All of them, the controller's among them. */
  replicas(): IterableIterator<AnyReplica> {
    return this.#replicas.values()
  }

  replica(group: GroupId): AnyReplica | undefined {
    return this.#replicas.get(group)
  }

  /** Frames of groups that this broker does not hold are dropped (architecture, 'Group ids'). */
  receive(from: BrokerId, group: GroupId, message: Message): void {
    this.#replicas.get(group)?.receive(from, message)
  }

  /** The detector's view changed. Only groups with a changed broker among their voters and learners hear of it. */
  linksChanged(links: LinkView, changed: ReadonlySet<BrokerId> | 'self'): void {
    this.#links = links
    for (const replica of this.#replicas.values()) {
      const concerned = changed === 'self' || [...changed].some((broker) => replica.paxos.concerns(broker))
      if (concerned) replica.links(links)
    }
  }

  /** Who vouches for the own store, or that it has forgotten: it concerns every group. */
  standingChanged(standing: Standing): void {
    this.#standing = standing
    for (const replica of this.#replicas.values()) replica.standing(standing)
  }

  /** All groups that this broker leads, the controller's among them. */
  led(): readonly AnyReplica[] {
    return [...this.#replicas.values()].filter((replica) => replica.isLeader)
  }

  resignAll(): void {
    for (const replica of this.#replicas.values()) if (replica.isLeader) replica.resign()
  }

  leaderChanged(group: GroupId): void {
    const watchers = this.#watchers.get(group)
    if (watchers === undefined) return
    this.#watchers.delete(group)
    for (const watcher of watchers) watcher()
  }

  /** Resolves at the group's next change of leader, or after `waitMs` at the latest. */
  nextLeaderChange(
    group: GroupId,
    waitMs: number,
    later: (run: () => void, delayMs: number) => { cancel(): void },
  ): Promise<void> {
    return new Promise((resolve) => {
      const watchers = this.#watchers.get(group) ?? new Set()
      this.#watchers.set(group, watchers)
      const done = () => {
        timer.cancel()
        watchers.delete(done)
        if (watchers.size === 0 && this.#watchers.get(group) === watchers) this.#watchers.delete(group)
        resolve()
      }
      const timer = later(done, waitMs)
      if (watchers.size < WATCHERS_MAX) watchers.add(done)
    })
  }
}
