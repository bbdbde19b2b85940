import type { TopicId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'

/**
 * Former requests that are remembered; the oldest are forgotten first. A request is sent again for some seconds at most, so that
 * this many changes of topics would have to come between its two copies.
 */
export const FORMER_REQUESTS_MAX = 4_000

/** A request that changed a topic, after another one took its place there or the topic was deleted. */
export interface FormerRequest {
  /** Counted up: the order in which they are forgotten. */
  readonly number: number
  readonly requestId: string
  readonly topicId: TopicId
  /** It created the topic; else it altered it. */
  readonly created: boolean
}

/**
 * What made topics as they were once. A topic's own row remembers the request that created it and the one that altered it last; a
 * copy of any other that comes late is known by this table, or it would make a deleted topic anew, or undo what came after it.
 */
export class FormerRequests {
  /** In the order of their numbers. */
  readonly #entries = new Map<string, FormerRequest>()
  readonly #changed = new Map<number, FormerRequest | undefined>()
  #next = 1

  get(requestId: string): FormerRequest | undefined {
    return this.#entries.get(requestId)
  }

  remember(request: Omit<FormerRequest, 'number'>): void {
    if (this.#entries.has(request.requestId)) return
    const entry = { number: this.#next++, ...request }
    this.#entries.set(entry.requestId, entry)
    this.#changed.set(entry.number, entry)
    for (const { requestId, number } of this.#entries.values()) {
      if (this.#entries.size <= FORMER_REQUESTS_MAX) return
      this.#entries.delete(requestId)
      this.#changed.set(number, undefined)
    }
  }

  /** As a restart reads it: in the order of their numbers. */
  restore(entry: FormerRequest): void {
    invariant(entry.number >= this.#next, 'Former requests are read in the order of their numbers.')
    this.#entries.set(entry.requestId, entry)
    this.#next = entry.number + 1
  }

  /** What changed since it was asked last, by number; undefined: forgotten. */
  takeChanged(): readonly (readonly [number: number, entry: FormerRequest | undefined])[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  clear(): void {
    this.#entries.clear()
    this.#changed.clear()
    this.#next = 1
  }
}
