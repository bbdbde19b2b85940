import type { EventQueue } from '../sim/event-queue.ts'

/** Events between two rounds of the host's event loop, which cost more than an event. */
const BURST = 64

/**
 * Lets events happen, each in a turn of its own, so that every promise that one settles has done its work before the next:
 * the order of a run is the queue's alone. Resolves when `isOver` says so, which is asked before each event.
 */
export function drive(queue: EventQueue, isOver: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let isDone = false
    const finish = (settle: () => void): void => {
      if (isDone) return
      isDone = true
      settle()
    }
    const step = (): void => {
      if (isDone) return
      try {
        if (isOver() || !queue.runNext()) finish(resolve)
      } catch (error) {
        finish(() => reject(error instanceof Error ? error : new Error(String(error))))
      }
    }
    const burst = (): void => {
      if (isDone) return
      for (let count = 0; count < BURST; count++) setImmediate(step)
      setImmediate(burst)
    }
    burst()
  })
}
