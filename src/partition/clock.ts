import { performance } from 'node:perf_hooks'
import type { LoopClock } from './loop.ts'

/** Real time. */
export const SYSTEM_CLOCK: LoopClock = {
  nowMs: () => performance.now(),
  random: () => Math.random(),
  moment: () => ({ nowMs: performance.now(), random: Math.random() }),
  soon: (run) => void setImmediate(run),
  later(run, delayMs) {
    const timer = setTimeout(run, delayMs)
    return { cancel: () => clearTimeout(timer) }
  },
}
