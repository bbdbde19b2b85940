import type { EventQueue } from './event-queue.ts'

/** What a stopped process (SIGSTOP) does: nothing, until it goes on; then all that came meanwhile, in order. */
export class Pausable {
  private readonly queue: EventQueue
  private pausedUntilMs = 0
  private deferred: (() => void)[] = []

  constructor(queue: EventQueue) {
    this.queue = queue
  }

  pause(durationMs: number): void {
    const { queue } = this
    const untilMs = Math.max(this.pausedUntilMs, queue.nowMs + durationMs)
    this.pausedUntilMs = untilMs
    queue.after(untilMs - queue.nowMs, () => {
      if (this.pausedUntilMs <= queue.nowMs) this.wake()
    })
  }

  /** Ends a pause early. */
  wake(): void {
    this.pausedUntilMs = 0
    const deferred = this.deferred
    this.deferred = []
    for (const run of deferred) this.whenAwake(run)
  }

  /** Runs now, or at the end of the pause. */
  whenAwake(run: () => void): void {
    if (this.pausedUntilMs > this.queue.nowMs) this.deferred.push(run)
    else run()
  }

  /** The process is gone, and what it would have done. */
  clear(): void {
    this.pausedUntilMs = 0
    this.deferred = []
  }
}
