import type { ProduceOperation } from '../history/operation.ts'
import type { FaultKind } from './schedule.ts'

/** Faults of one time, in the milliseconds of `performance.now()`. */
export interface PastEpisode {
  readonly kinds: readonly FaultKind[]
  readonly startMs: number
  readonly endMs: number
}

export interface Gap {
  /** Longest time between two acknowledgements of one producer; which one, and when it began on the clock of the history. */
  longestMs: number
  producer: string
  fromMs: number
  /** The longest of each time with these faults, and of these the one in the middle; 0 for one without any gap. */
  medianMs: number
  /** Longest time from the end of the faults to the first acknowledgement of a producer that they had held up. */
  afterHealingMs: number
}

/** 'quiet': nothing was wrong. 'two at once': which of them made it cannot be told. */
export type GapKind = FaultKind | 'two at once' | 'quiet'

const GAP_MS_MIN = 100

/** How long producers had to wait, by the kinds of fault that happened meanwhile. */
export class GapWatch {
  readonly #lastMs = new Map<string, number>()
  readonly #gaps: { readonly producer: string; readonly fromMs: number; readonly toMs: number }[] = []

  /** Producers that send once and wait for the answer for long measure their own patience, and are left out. */
  add({ producer, identity, outcome, endMs }: ProduceOperation): void {
    if (outcome !== 'ok' || identity === 'none') return
    const lastMs = this.#lastMs.get(producer) ?? endMs
    this.#lastMs.set(producer, endMs)
    if (endMs - lastMs >= GAP_MS_MIN) this.#gaps.push({ producer, fromMs: lastMs, toMs: endMs })
  }

  /** The longest, by the kind of fault that overlapped it. */
  byKind(episodes: readonly PastEpisode[]): ReadonlyMap<GapKind, Gap> {
    const result = new Map<GapKind, Gap>()
    const longest = new Map(episodes.map((episode) => [episode, 0]))
    for (const { producer, fromMs, toMs } of this.#gaps) {
      const during = episodes.filter(({ startMs, endMs }) => startMs < toMs && fromMs < endMs)
      const [only] = during
      if (only !== undefined && during.length === 1)
        longest.set(only, Math.max(longest.get(only) ?? 0, toMs - fromMs))
      const kind = kindOf(during)
      const gap = result.get(kind) ?? { longestMs: 0, producer, fromMs, medianMs: 0, afterHealingMs: 0 }
      result.set(kind, gap)
      if (toMs - fromMs > gap.longestMs) Object.assign(gap, { longestMs: toMs - fromMs, producer, fromMs })
      const healedMs = Math.max(...during.map(({ endMs }) => endMs))
      if (during.length > 0) gap.afterHealingMs = Math.max(gap.afterHealingMs, toMs - healedMs)
    }
    for (const [kind, gap] of result)
      gap.medianMs = median([...longest].filter(([each]) => kindOf([each]) === kind).map(([, ms]) => ms))
    return result
  }
}

function kindOf(episodes: readonly PastEpisode[]): GapKind {
  const kinds = episodes.flatMap((episode) => episode.kinds)
  return kinds.length > 1 ? 'two at once' : (kinds[0] ?? 'quiet')
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
}
