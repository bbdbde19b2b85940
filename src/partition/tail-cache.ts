import { invariant } from '../types/invariant.ts'
import type { CommittedBatch } from '../types/record.ts'

/** The newest committed batches of one partition, gapless in offsets; those before `head` are dropped: undefined. */
interface Tail {
  batches: (CommittedBatch | undefined)[]
  head: number
}

/** Places in the order of a cache that may be empty before the order is packed anew. */
const EMPTY_COUNT_MIN = 1_024

/**
 * The newest committed batches of all partitions, so that subscribers at the tail never touch the disk and share one object
 * a batch. One byte budget for the broker: the batch that was added first goes first.
 */
export class TailCache {
  readonly #bytesMax: number
  #order: { readonly tail: Tail; readonly byteLength: number }[] = []
  #orderHead = 0
  /** Places behind `#orderHead` whose tail was cleared. */
  #clearedCount = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Places that the order of batches takes, the empty ones too: a little more than there are batches. */
  get orderLength(): number {
    return this.#order.length
  }

  open(): TailCacheView {
    const tail: Tail = { batches: [], head: 0 }
    return {
      add: (batch) => this.#add(tail, batch),
      from: (offset, recordsMax, bytesMax) => sliceFrom(tail, offset, recordsMax, bytesMax),
      find: (offset) => tail.batches[indexOf(tail, offset)],
      clear: () => this.#clear(tail),
    }
  }

  #add(tail: Tail, batch: CommittedBatch): void {
    tail.batches.push(batch)
    this.#order.push({ tail, byteLength: batch.byteLength })
    this.#bytes += batch.byteLength
    while (this.#bytes > this.#bytesMax && this.#orderHead < this.#order.length) {
      const oldest = this.#order[this.#orderHead++]!
      // A cleared tail has nothing left to drop: its bytes were given back when it was cleared.
      if (dropFirst(oldest.tail)) this.#bytes -= oldest.byteLength
      else this.#clearedCount--
    }
    this.#packOrder()
  }

  #clear(tail: Tail): void {
    for (const batch of tail.batches.slice(tail.head)) this.#bytes -= batch?.byteLength ?? 0
    this.#clearedCount += tail.batches.length - tail.head
    tail.batches = []
    tail.head = 0
    this.#packOrder()
  }

  /** Topics that come and go must not leave their places behind while the budget is not used up. */
  #packOrder(): void {
    const emptyCount = this.#orderHead + this.#clearedCount
    if (emptyCount <= EMPTY_COUNT_MIN || emptyCount * 2 <= this.#order.length) return
    this.#order = this.#order.slice(this.#orderHead).filter(({ tail }) => tail.batches.length > 0)
    this.#orderHead = 0
    this.#clearedCount = 0
  }
}

/** One partition's part of the cache. */
export interface TailCacheView {
  /** Batches come in offset order without a gap. */
  add(batch: CommittedBatch): void
  /** Batches from the one that holds `offset` on; undefined when the cache begins after it or does not reach it. */
  from(offset: number, recordsMax: number, bytesMax: number): readonly CommittedBatch[] | undefined
  find(offset: number): CommittedBatch | undefined
  /** Drops everything, when the partition stops; nothing is added after it. */
  clear(): void
}

function dropFirst(tail: Tail): boolean {
  if (tail.head >= tail.batches.length) return false
  // The array is packed only now and then; what was dropped must not stay in memory until that.
  tail.batches[tail.head++] = undefined
  if (tail.head > 256 && tail.head * 2 > tail.batches.length) {
    tail.batches = tail.batches.slice(tail.head)
    tail.head = 0
  }
  return true
}

/** Index of the batch that holds `offset`, -1 when none does. */
function indexOf({ batches, head }: Tail, offset: number): number {
  let low = head
  let high = batches.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const batch = batches[middle]
    invariant(batch !== undefined, 'What is kept has no gap.')
    if (offset < batch.baseOffset) high = middle - 1
    else if (offset >= batch.baseOffset + batch.recordCount) low = middle + 1
    else return middle
  }
  return -1
}

function sliceFrom(
  tail: Tail,
  offset: number,
  recordsMax: number,
  bytesMax: number,
): readonly CommittedBatch[] | undefined {
  const first = indexOf(tail, offset)
  if (first < 0) return undefined
  return takeUpTo(tail.batches, first, offset, recordsMax, bytesMax)
}

/** From index `first`, until the records after `offset` or the bytes reach their bound; at least one batch. */
export function takeUpTo(
  batches: readonly (CommittedBatch | undefined)[],
  first: number,
  offset: number,
  recordsMax: number,
  bytesMax: number,
): readonly CommittedBatch[] {
  const taken: CommittedBatch[] = []
  let bytes = 0
  for (let index = first; index < batches.length; index++) {
    const batch = batches[index]
    invariant(batch !== undefined, 'What is kept has no gap.')
    if (taken.length > 0 && (batch.baseOffset - offset >= recordsMax || bytes + batch.byteLength > bytesMax))
      break
    bytes += batch.byteLength
    taken.push(batch)
  }
  return taken
}
