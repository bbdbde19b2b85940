/** Time as the reading side sees it: an argument, so that tests run in virtual time. */
export interface Timers {
  /** Monotonic milliseconds. */
  nowMs(): number
  /** Calls back once after the delay; the function returned cancels it. */
  after(delayMs: number, call: () => void): () => void
}

export const systemTimers: Timers = {
  nowMs: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs)
    return () => clearTimeout(timer)
  },
}
