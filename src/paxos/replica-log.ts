import type { Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { chainOf } from './entry.ts'
import { assertOriginOrder } from './invariants.ts'
import { ENTRY_KIND, type Checksum, type Entry } from './state.ts'

/** What an entry costs in memory beside its body, about. */
const ENTRY_OVERHEAD_BYTES = 128

/** Bytes by which windows, caps and the memory tail count an entry. */
export function entryBytes(entry: Entry): number {
  return entry.body.length + ENTRY_OVERHEAD_BYTES
}

/**
 * The part of a replica's log that it holds in memory: the slots (start, through], with start <= commit <= through.
 * Everything below `start` is in the store only; of it the chain value at `start` is known, which stands for all of it
 * (consensus 1.2: equal chains mean equal logs).
 */
export class ReplicaLog {
  readonly #checksum: Checksum
  /** `#entries[#head]` is the entry of slot start+1; what lies before #head was dropped and waits to be cut off. */
  #entries: Entry[] = []
  #head = 0
  #start: Slot
  #chainAtStart: number
  #commit: Slot
  #chosenBytes = 0
  #uncommittedBytes = 0

  constructor(facts: {
    readonly commit: Slot
    readonly chainAtCommit: number
    readonly tail: readonly Entry[]
    readonly checksum: Checksum
  }) {
    this.#checksum = facts.checksum
    this.#start = facts.commit
    this.#chainAtStart = facts.chainAtCommit
    this.#commit = facts.commit
    for (const entry of facts.tail) this.append(entry)
  }

  /** The highest slot that is not in memory any more. */
  get start(): Slot {
    return this.#start
  }

  get commit(): Slot {
    return this.#commit
  }

  get through(): Slot {
    return (this.#start + this.#entries.length - this.#head) as Slot
  }

  /** Whether the last entry is a stop-sign that is not chosen yet: nothing may follow it (consensus 1.12 step 2). */
  get endsWithStopSign(): boolean {
    return this.through > this.#commit && this.at(this.through).kind === ENTRY_KIND.STOPSIGN
  }

  get bytes(): number {
    return this.#chosenBytes + this.#uncommittedBytes
  }

  get uncommittedBytes(): number {
    return this.#uncommittedBytes
  }

  /** The entry of a slot in (start, through]. */
  at(slot: number): Entry {
    const entry = slot > this.#start ? this.#entries[this.#head + slot - this.#start - 1] : undefined
    invariant(entry !== undefined, 'A slot that is read is in the memory tail.')
    return entry
  }

  /** The chain value at a slot in [start, through]. */
  chainAt(slot: number): number {
    return slot === this.#start ? this.#chainAtStart : this.at(slot).chain
  }

  /** The entries (after, to]. References are copied, never bodies. */
  slice(after: number, to: number): readonly Entry[] {
    invariant(after >= this.#start, 'A slice begins in the memory tail.')
    if (to <= after) return []
    const offset = this.#head - this.#start
    return this.#entries.slice(offset + after, offset + to)
  }

  /** Whether `entry` continues the chain of `before`, a slot in [start, through]. */
  linksAt(before: number, entry: Entry): boolean {
    return entry.slot === before + 1 && chainOf(this.chainAt(before), entry, this.#checksum) === entry.chain
  }

  /** Appends the next entry, which must link. The entry isn't chosen yet. */
  append(entry: Entry): void {
    const through = this.through
    invariant(this.linksAt(through, entry), 'An appended entry links to the one before it.')
    if (through > this.#start) assertOriginOrder(this.at(through), entry)
    this.#entries.push(entry)
    this.#uncommittedBytes += entryBytes(entry)
  }

  /** Drops everything above `to`, which is never below commit. */
  truncate(to: number): void {
    invariant(to >= this.#commit, 'A truncation keeps every chosen entry.')
    for (let through = this.through; through > to; through--) {
      const dropped = this.#entries.pop()
      invariant(dropped !== undefined, 'What is truncated is in the memory tail.')
      this.#uncommittedBytes -= entryBytes(dropped)
    }
  }

  /** Marks everything up to `to` as chosen and returns what is newly so, in order. */
  commitTo(to: Slot): readonly Entry[] {
    invariant(to >= this.#commit && to <= this.through, 'Commit moves forward, inside the log.')
    const chosen = this.slice(this.#commit, to)
    for (const entry of chosen) {
      this.#uncommittedBytes -= entryBytes(entry)
      this.#chosenBytes += entryBytes(entry)
    }
    this.#commit = to
    return chosen
  }

  /** The log goes on from a checkpoint: everything up to `last` is chosen and not held. */
  beginAfter(last: Slot, chain: number, keepsTail: boolean): void {
    const kept = keepsTail ? this.slice(last, this.through) : []
    this.#entries = [...kept]
    this.#head = 0
    this.#start = last
    this.#chainAtStart = chain
    this.#commit = last
    this.#chosenBytes = 0
    this.#uncommittedBytes = 0
    for (const entry of kept) this.#uncommittedBytes += entryBytes(entry)
  }

  /** Forgets chosen entries from the bottom: those up to `upTo`, and more until `bytesMax` holds the rest of them. */
  dropChosen(upTo: number, bytesMax: number): void {
    const last = Math.min(upTo, this.#commit)
    while (this.#start < this.#commit && (this.#start < last || this.#chosenBytes > bytesMax)) {
      const entry = this.at(this.#start + 1)
      this.#head++
      this.#start = entry.slot
      this.#chainAtStart = entry.chain
      this.#chosenBytes -= entryBytes(entry)
    }
    this.#cutOffDropped()
  }

  /** Dropped entries keep their places until half the array is such, so that dropping stays cheap per entry. */
  #cutOffDropped(): void {
    if (this.#head === 0) return
    if (this.#head === this.#entries.length) this.#entries = []
    else if (this.#head * 2 > this.#entries.length) this.#entries = this.#entries.slice(this.#head)
    else return
    this.#head = 0
  }
}
