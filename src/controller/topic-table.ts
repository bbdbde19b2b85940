import type { BrokerId, GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { PartitionPlacement, Topic } from '../types/topic.ts'
import type { TopicEntry } from './metadata-codec.ts'
import { nearestName } from './near-name.ts'
import { carriersOf } from './placement-change.ts'

/** Names looked at for a suggestion: the neighbours in name order, so that a wrong name costs the same in any cluster. */
export const SUGGESTION_CANDIDATES_MAX = 2_000

/** What a broker carries by placement, whoever leads at the moment. */
export interface CarriedLoad {
  readonly replicaCount: number
  /** Partitions that prefer it as their leader. */
  readonly leaderCount: number
}

const NO_LOAD: CarriedLoad = { replicaCount: 0, leaderCount: 0 }

/** The topics of the metadata by name, group and id, kept in name order. */
export class TopicTable {
  readonly #entries = new Map<string, TopicEntry>()
  /** All names, sorted by code unit. */
  readonly #names: string[] = []
  readonly #partitions = new Map<GroupId, { readonly topic: Topic; readonly placement: PartitionPlacement }>()
  readonly #loads = new Map<BrokerId, CarriedLoad>()
  readonly #changing = new Set<GroupId>()
  readonly #changed = new Set<string>()

  get topicCount(): number {
    return this.#entries.size
  }

  get partitionCount(): number {
    return this.#partitions.size
  }

  get(name: string): TopicEntry | undefined {
    return this.#entries.get(name)
  }

  partition(group: GroupId): { readonly topic: Topic; readonly placement: PartitionPlacement } | undefined {
    return this.#partitions.get(group)
  }

  /** Partitions whose replicas are on their way. */
  changing(): readonly PartitionPlacement[] {
    return [...this.#changing].map((group) => this.#partitions.get(group)!.placement)
  }

  /** Replicas that come or go count as well. */
  load(broker: BrokerId): CarriedLoad {
    return this.#loads.get(broker) ?? NO_LOAD
  }

  /** In name order. */
  *all(): IterableIterator<Topic> {
    for (const name of this.#names) yield this.#entries.get(name)!.topic
  }

  put(entry: TopicEntry): void {
    const { topic } = entry
    this.#changed.add(topic.name)
    const before = this.#entries.get(topic.name)
    if (before === undefined) this.#names.splice(this.#placeOf(topic.name), 0, topic.name)
    else this.#forgetPartitions(before.topic)
    this.#entries.set(topic.name, entry)
    for (const placement of topic.partitions) {
      this.#partitions.set(placement.group, { topic, placement })
      if (placement.change !== undefined) this.#changing.add(placement.group)
      this.#carry(placement, 1)
    }
  }

  delete(name: string): void {
    const entry = this.#entries.get(name)
    invariant(entry !== undefined, `Topic '${name}' is there when it is deleted.`)
    this.#changed.add(name)
    this.#forgetPartitions(entry.topic)
    this.#entries.delete(name)
    this.#names.splice(this.#placeOf(name), 1)
  }

  /** The topic as it is with another placement of one partition. Its revision stays: replicas are none of its settings. */
  replace(placement: PartitionPlacement): Topic {
    const found = this.#partitions.get(placement.group)
    invariant(found !== undefined, `Group ${placement.group} is placed when it moves.`)
    const entry = this.#entries.get(found.topic.name)!
    const topic = { ...entry.topic, partitions: entry.topic.partitions.with(placement.partition, placement) }
    this.put({ ...entry, topic })
    return topic
  }

  /** As a restart reads it: nothing has changed by it. */
  restore(entry: TopicEntry): void {
    this.put(entry)
    this.#changed.clear()
  }

  /** What changed since it was asked last; undefined: deleted. */
  takeChanged(): readonly (readonly [name: string, entry: TopicEntry | undefined])[] {
    const changed = [...this.#changed].map((name) => [name, this.#entries.get(name)] as const)
    this.#changed.clear()
    return changed
  }

  clear(): void {
    this.#changed.clear()
    this.#entries.clear()
    this.#names.length = 0
    this.#partitions.clear()
    this.#loads.clear()
    this.#changing.clear()
  }

  /** Topics whose names begin with `prefix`, in name order, names above `after` only, at most `limit`. */
  list(query: { readonly prefix: string; readonly after: string; readonly limit: number }): readonly Topic[] {
    const { prefix, after, limit } = query
    const found: Topic[] = []
    let index = this.#placeOf(after < prefix ? prefix : after)
    if (this.#names[index] === after) index++
    for (; found.length < limit && index < this.#names.length; index++) {
      const name = this.#names[index]!
      if (!name.startsWith(prefix)) break
      found.push(this.#entries.get(name)!.topic)
    }
    return found
  }

  /** A near name that exists. */
  suggest(name: string): string | undefined {
    const place = this.#placeOf(name)
    const half = SUGGESTION_CANDIDATES_MAX / 2
    return nearestName(name, this.#names.slice(Math.max(0, place - half), place + half))
  }

  /** Index of the first name that is not below `name`. */
  #placeOf(name: string): number {
    let low = 0
    let high = this.#names.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#names[middle]! < name) low = middle + 1
      else high = middle
    }
    return low
  }

  #forgetPartitions(topic: Topic): void {
    for (const placement of topic.partitions) {
      this.#partitions.delete(placement.group)
      this.#changing.delete(placement.group)
      this.#carry(placement, -1)
    }
  }

  #carry(placement: PartitionPlacement, sign: 1 | -1): void {
    const preferred = placement.replicas[0]
    for (const broker of carriersOf(placement)) {
      const { replicaCount, leaderCount } = this.load(broker)
      const next = {
        replicaCount: replicaCount + sign,
        leaderCount: leaderCount + (broker === preferred ? sign : 0),
      }
      if (next.replicaCount === 0) this.#loads.delete(broker)
      else this.#loads.set(broker, next)
    }
  }
}
