import type { Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { Damage, isCopyOf } from './damage.ts'
import { chainOf } from './entry.ts'
import { assertOriginOrder } from './invariants.ts'
import { ENTRY_KIND, type Checksum, type DamagedEntry, type Entry } from './state.ts'

/** What an entry costs in memory beside its body, about. */
const ENTRY_OVERHEAD_BYTES = 128

/** A slot in memory: its entry, or what is known of one that is damaged. */
type LogSlot = Entry | DamagedEntry

function isWhole(held: LogSlot): held is Entry {
  return 'body' in held
}

/** Bytes by which windows, caps and the memory tail count an entry. */
export function entryBytes(entry: LogSlot): number {
  return (isWhole(entry) ? entry.body.length : 0) + ENTRY_OVERHEAD_BYTES
}

/**
 * The part of a replica's log that it holds in memory: the slots (start, through], with start <= commit <= through.
 * Everything below `start` is in the store only; of it the chain value at `start` is known, which stands for all of it
 * (consensus 1.2: equal chains mean equal logs).
 *
 * A slot above commit whose stored copy a start found damaged has its place and its chain value here, but no entry: nobody
 * gets it, and commit does not pass it, before it is mended or replaced.
 */
export class ReplicaLog {
  /** Slots of which the store has no whole copy, here or below `start`. */
  readonly damage = new Damage()
  readonly #checksum: Checksum
  /** `#entries[#head]` is the entry of slot start+1; what lies before #head was dropped and waits to be cut off. */
  #entries: LogSlot[] = []
  #head = 0
  #start: Slot
  #chainAtStart: number
  #commit: Slot
  /** Known to be chosen, though a damaged slot may hold commit back. */
  #known: Slot
  #chosenBytes = 0
  #uncommittedBytes = 0

  constructor(facts: {
    readonly commit: Slot
    readonly chainAtCommit: number
    readonly tail: readonly Entry[]
    readonly damaged?: readonly DamagedEntry[]
    readonly checksum: Checksum
  }) {
    this.#checksum = facts.checksum
    this.#start = facts.commit
    this.#chainAtStart = facts.chainAtCommit
    this.#commit = facts.commit
    this.#known = facts.commit
    const damaged = [...(facts.damaged ?? [])]
    for (const entry of facts.tail) {
      while (damaged[0] !== undefined && damaged[0].slot < entry.slot) this.#recoverDamaged(damaged.shift())
      this.append(entry)
    }
    for (const entry of damaged) this.#recoverDamaged(entry)
  }

  #recoverDamaged(entry: DamagedEntry | undefined): void {
    if (entry === undefined) return
    this.damage.add(entry)
    if (entry.slot <= this.#start) return
    const { through } = this
    invariant(
      entry.slot === through + 1 && entry.chainBefore === this.chainAt(through),
      'A damaged entry keeps its place in the log.',
    )
    this.#entries.push(entry)
    this.#uncommittedBytes += entryBytes(entry)
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
    const last = this.through > this.#commit ? this.#held(this.through) : undefined
    return last !== undefined && isWhole(last) && last.kind === ENTRY_KIND.STOPSIGN
  }

  get bytes(): number {
    return this.#chosenBytes + this.#uncommittedBytes
  }

  get uncommittedBytes(): number {
    return this.#uncommittedBytes
  }

  /** The highest slot known to be chosen; above commit while a damaged slot holds commit back. */
  get known(): Slot {
    return this.#known > this.#commit ? this.#known : this.#commit
  }

  /** A slot above commit is damaged: what this log holds there can neither be told nor counted (consensus 1.16). */
  get isAbstaining(): boolean {
    return this.damage.count > 0 && this.damage.firstAbove(this.#commit) !== undefined
  }

  /** The entry of a slot in (start, through] that is not damaged. */
  at(slot: number): Entry {
    const held = this.#held(slot)
    invariant(isWhole(held), 'A damaged entry is not read.')
    return held
  }

  /** The chain value at a slot in [start, through]. */
  chainAt(slot: number): number {
    return slot === this.#start ? this.#chainAtStart : this.#held(slot).chain
  }

  /** The entries (after, to], none of them damaged. References are copied, never bodies. */
  slice(after: number, to: number): readonly Entry[] {
    const held = this.#slots(after, to)
    invariant(this.damage.count === 0 || held.every(isWhole), 'A damaged entry is not handed out.')
    return held as readonly Entry[]
  }

  /** As `slice`, without the entries that are damaged. */
  wholeSlice(after: number, to: number): readonly Entry[] {
    return this.#slots(after, to).filter(isWhole)
  }

  #held(slot: number): LogSlot {
    const held = slot > this.#start ? this.#entries[this.#head + slot - this.#start - 1] : undefined
    invariant(held !== undefined, 'A slot that is read is in the memory tail.')
    return held
  }

  #slots(after: number, to: number): readonly LogSlot[] {
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
    if (through > this.#start) assertOriginOrder(this.#held(through), entry)
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
    if (this.damage.count > 0) this.damage.dropAbove(to)
    // What comes in the place of a slot that was known to be chosen has to be known anew.
    if (this.#known > to) this.#known = to as Slot
  }

  /** Everything up to `to`, a slot of this log, is chosen, whether commit can follow or not. */
  noteKnown(to: number): void {
    invariant(to <= this.through, 'What is known to be chosen is in the log.')
    if (to > this.#known) this.#known = to as Slot
  }

  /** Takes a copy of a damaged entry in its place. */
  mend(entry: Entry): void {
    const damaged = this.damage.at(entry.slot)
    invariant(
      damaged !== undefined && isCopyOf(damaged, entry, this.#checksum),
      'Only a copy of a damaged entry mends it.',
    )
    this.damage.remove(entry.slot)
    if (entry.slot <= this.#start) return
    invariant(entry.slot > this.#commit, 'A chosen entry in memory is whole.')
    this.#entries[this.#head + entry.slot - this.#start - 1] = entry
    this.#uncommittedBytes += entry.body.length
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
    const kept = keepsTail ? this.#slots(last, this.through) : []
    this.damage.dropBelow(last + 1)
    if (!keepsTail) this.damage.dropAbove(last)
    // What is known to be chosen of a tail that stays is known still.
    this.#known = keepsTail ? this.known : last
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
