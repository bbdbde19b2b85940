import type { TopicId } from '../../src/types/ids.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { Judge } from '../sim/judge.ts'
import type { Histories } from './histories.ts'

export interface TrimTruthOptions {
  readonly judge: Pick<Judge, 'demand'>
  /** Epoch milliseconds: no clock of any broker was ever beyond it. */
  readonly latestWallMs: () => number
  /** How long a topic's records are kept at least; null: for ever. */
  readonly retentionMs: (topic: string) => number | null
}

type TrimmedTopic = Pick<Topic, 'id' | 'name'>

/** What is known of one partition. */
interface Place {
  readonly topic: TopicId
  readonly partition: number
  /** When acknowledged records were stored, by offset; epoch milliseconds. */
  readonly storedMs: Map<number, number>
  /** Up to where somebody asked that nothing be shown, and up to where that was answered as done. */
  ordered: number
  done: number
  /** The highest first offset that anybody was told. */
  told: number
}

/**
 * What may be gone of a partition, from the answers alone: records that an operator ordered to be trimmed, and those that were
 * older than the topic's retention by the most hasty clock there was. What was trimmed stays so.
 */
export class TrimTruth {
  readonly #options: TrimTruthOptions
  readonly #places = new Map<string, Place>()

  constructor(options: TrimTruthOptions) {
    this.#options = options
  }

  stored(topic: TrimmedTopic, partition: number, { offset, atMs }: { offset: number; atMs: number }): void {
    const place = this.#place(topic, partition)
    place.storedMs.set(offset, atMs)
    if (offset < place.told) this.#mayBeGone(topic, place, offset)
  }

  /** Somebody asks for it; whether it is done nobody may ever know. */
  ordered(topic: TrimmedTopic, partition: number, beforeOffset: number): void {
    const place = this.#place(topic, partition)
    place.ordered = Math.max(place.ordered, beforeOffset)
  }

  /** It was answered with the first offset that is shown. */
  done(topic: TrimmedTopic, partition: number, logStart: number): void {
    this.told(topic, partition, logStart)
    const place = this.#place(topic, partition)
    place.done = Math.max(place.done, logStart)
  }

  /** Who asks now and is told the newest state must not be shown anything below. */
  shownFrom(topic: TrimmedTopic, partition: number): number {
    return this.#place(topic, partition).done
  }

  /** Somebody was told that the partition begins there. */
  told(topic: TrimmedTopic, partition: number, logStart: number): void {
    const place = this.#place(topic, partition)
    const from = Math.max(place.told, place.ordered)
    place.told = Math.max(place.told, logStart)
    for (let offset = from; offset < logStart; offset++) this.#mayBeGone(topic, place, offset)
  }

  /** Tells the histories what nobody has to have seen; returns what trimmed anything. */
  finish(histories: Pick<Histories, 'trimmed'>): ReadonlySet<'trim' | 'retention'> {
    const reasons = new Set<'trim' | 'retention'>()
    for (const { topic, partition, told, ordered } of this.#places.values()) {
      if (told === 0) continue
      histories.trimmed(topic, partition, told)
      reasons.add(told > ordered ? 'retention' : 'trim')
    }
    return reasons
  }

  #mayBeGone(topic: TrimmedTopic, place: Place, offset: number): void {
    if (offset < place.ordered) return
    const { judge, latestWallMs, retentionMs } = this.#options
    const keptMs = retentionMs(topic.name)
    const storedMs = place.storedMs.get(offset) ?? -Infinity
    judge.demand(
      keptMs !== null && storedMs + keptMs <= latestWallMs(),
      'retention',
      () =>
        `${topic.name}/${place.partition} begins at ${place.told}, though ${offset} was stored at ${storedMs} and is kept for ${keptMs} ms; ` +
        `nobody trims beyond ${place.ordered}, and no clock is beyond ${latestWallMs()}`,
    )
  }

  #place({ id }: TrimmedTopic, partition: number): Place {
    const key = `${id} ${partition}`
    let place = this.#places.get(key)
    if (place === undefined) {
      place = { topic: id, partition, storedMs: new Map(), ordered: 0, done: 0, told: 0 }
      this.#places.set(key, place)
    }
    return place
  }
}
