import { invariant } from '../../src/types/invariant.ts'

interface Scheduled {
  readonly atMs: number
  /** Breaks ties, so that what was scheduled first runs first. */
  readonly order: number
  readonly run: () => void
}

/** Virtual time: a binary heap of what happens next. Time moves only from one event to the next. */
export class EventQueue {
  nowMs = 0
  private heap: Scheduled[] = []
  private scheduledCount = 0

  get size(): number {
    return this.heap.length
  }

  /** Runs `run` after `delayMs` of virtual time. */
  after(delayMs: number, run: () => void): void {
    invariant(delayMs >= 0 && delayMs < Infinity, `A delay is finite and not negative, not ${delayMs}.`)
    const event: Scheduled = { atMs: this.nowMs + delayMs, order: this.scheduledCount++, run }
    let index = this.heap.length
    this.heap.push(event)
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = this.heap[parent] as Scheduled
      if (!isBefore(event, above)) break
      this.heap[index] = above
      index = parent
    }
    this.heap[index] = event
  }

  /** Runs the next event; false when there is none. */
  runNext(): boolean {
    const first = this.heap[0]
    if (first === undefined) return false
    const last = this.heap.pop() as Scheduled
    if (this.heap.length > 0) this.sink(last)
    this.nowMs = first.atMs
    first.run()
    return true
  }

  private sink(event: Scheduled): void {
    const { heap } = this
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Scheduled, heap[child] as Scheduled)) child++
      if (!isBefore(heap[child] as Scheduled, event)) break
      heap[index] = heap[child] as Scheduled
      index = child
    }
    heap[index] = event
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
