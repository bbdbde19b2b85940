/** Of a process: its memory in its first minute says nothing of a leak. */
const WARM_UP_MS = 60_000
const HOUR_MS = 3_600_000

/** Sums of one life of a process, for least squares. */
interface Life {
  readonly startMs: number
  count: number
  time: number
  mib: number
  timeMib: number
  timeTime: number
}

export interface MemoryUse {
  readonly firstMib: number
  readonly lastMib: number
  readonly mostMib: number
  /** Undefined until a process has lived for long enough. */
  readonly slopeMibPerHour: number | undefined
}

/**
 * The resident memory of one broker. It falls at each start, so the slope is that within the lives of its processes: one
 * straight line through each, all equally steep.
 */
export class MemoryWatch {
  readonly #lives = new Map<number, Life>()
  #firstMib: number | undefined
  #lastMib = 0
  #mostMib = 0

  add(sample: { readonly pid: number; readonly atMs: number; readonly mib: number }): void {
    const { pid, atMs, mib } = sample
    this.#firstMib ??= mib
    this.#lastMib = mib
    this.#mostMib = Math.max(this.#mostMib, mib)
    const fresh: Life = { startMs: atMs, count: 0, time: 0, mib: 0, timeMib: 0, timeTime: 0 }
    const life = this.#lives.get(pid) ?? fresh
    this.#lives.set(pid, life)
    const timeMs = atMs - life.startMs
    if (timeMs < WARM_UP_MS) return
    life.count++
    life.time += timeMs
    life.mib += mib
    life.timeMib += timeMs * mib
    life.timeTime += timeMs * timeMs
  }

  get use(): MemoryUse {
    return {
      firstMib: this.#firstMib ?? 0,
      lastMib: this.#lastMib,
      mostMib: this.#mostMib,
      slopeMibPerHour: this.#slope(),
    }
  }

  #slope(): number | undefined {
    let covariance = 0
    let variance = 0
    for (const { count, time, mib, timeMib, timeTime } of this.#lives.values()) {
      if (count === 0) continue
      covariance += timeMib - (time * mib) / count
      variance += timeTime - (time * time) / count
    }
    return variance > 0 ? (covariance / variance) * HOUR_MS : undefined
  }
}
