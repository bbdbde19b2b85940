import type { StoreId } from '../types/ids.ts'
import type { SeenStore } from '../detector/heartbeat.ts'
import { CONDEMNED } from '../detector/seen-stores.ts'
import { hasShrunk, withStart, type NotedStarts } from '../detector/starts.ts'
import type { Witness } from '../detector/witness.ts'
import type { Heartbeats } from '../partition/heartbeats.ts'
import type { LoopClock } from '../partition/loop.ts'
import type { LogStore } from '../storage/log-store.ts'

/** What was seen of others' stores is written down so often while it changes; it is knowledge, not a promise. */
const NOTE_EVERY_MS = 10_000
/** Sooner when a store was found to have forgotten. */
const LOOK_EVERY_MS = 1_000

export interface VouchingOptions {
  readonly store: Pick<LogStore, 'begin' | 'recoveredLsn' | 'hasForgotten' | 'notes' | 'identity'>
  readonly bootId: string
  readonly witness: Witness
  readonly heartbeats: Pick<Heartbeats, 'exclude'>
  readonly clock: Pick<LoopClock, 'later' | 'nowMs'>
  error(sentence: string): void
  fatal(error: unknown): void
}

/**
 * Whether this broker's store may vote, and what this broker remembers of the others' (consensus 1.16, 'Silent loss of the
 * newest writes'): keeps the witness' knowledge over a restart, and a store out of every vote that forgot something.
 */
export class Vouching {
  readonly #options: VouchingOptions
  #reason: string | undefined
  #waiting: string | undefined
  #timer: { cancel(): void } | undefined
  #notedAtMs = -Infinity
  #writing: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(options: VouchingOptions) {
    this.#options = options
  }

  /** Why this broker votes in nothing; undefined while it may. */
  get reason(): string | undefined {
    return this.#reason ?? this.#waiting
  }

  get hasForgotten(): boolean {
    return this.#reason !== undefined
  }

  /** After the store was recovered and before heartbeats: makes the start durable, and takes up what earlier ones knew. */
  async begin(): Promise<void> {
    const { store, witness, heartbeats } = this.#options
    await store.begin()
    const { starts } = await this.#noteStart()
    witness.began(starts, seenStores(await store.notes.read('seen')))
    const isLost = store.hasForgotten || hasShrunk(starts)
    if (isLost || (await store.notes.read('outsider')) !== undefined) heartbeats.exclude()
    this.#look()
  }

  /** Before anybody hears of this start: a later one must know that it was there. */
  async #noteStart(): Promise<NotedStarts> {
    const { store, bootId } = this.#options
    const { notes, identity, recoveredLsn } = store
    const start = { bootId, recovered: recoveredLsn }
    const noted = withStart(await notes.read('starts'), identity.storeId, start)
    await notes.write('starts', noted)
    return noted
  }

  /** The witness says so, or the store itself. Told once. */
  forgotten(): void {
    if (this.#reason !== undefined) return
    const { store, error, fatal } = this.#options
    const { storeId } = store.identity
    this.#reason = `${this.#proof(storeId)} It takes part in no vote, and its store has to be replaced.`
    error(this.#reason)
    this.#write(() => store.notes.write('outsider', { storeId, reason: this.#reason })).catch(fatal)
  }

  /** Ends where it is, as a process that is killed. */
  halt(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  /** The cluster knows this broker with another store, or (undefined) with this one. Told once. */
  registeredWith(registered: string | undefined): void {
    const { storeId } = this.#options.store.identity
    const sentence =
      registered === undefined
        ? undefined
        : `This broker is registered with store ${registered}, but its data folder holds store ${storeId}: it takes part in no vote until its store is replaced, which it has asked for.`
    if (sentence !== undefined && sentence !== this.#waiting) this.#options.error(sentence)
    this.#waiting = sentence
  }

  /** The store is damaged as a whole: the next start sets it aside. */
  async condemn(damage: string): Promise<void> {
    const { store } = this.#options
    await this.#write(() =>
      store.notes.write('outsider', { storeId: store.identity.storeId, reason: damage }),
    )
  }

  /** Writes down what is new. */
  async stop(): Promise<void> {
    this.halt()
    await this.#note()
  }

  #proof(storeId: StoreId): string {
    const { store, witness } = this.#options
    const subject = `The disk of this broker (store ${storeId}) has lost writes that it had confirmed`
    const found = `this start found its journal up to number ${store.recoveredLsn}`
    const { lost } = witness
    if (lost === undefined) return `${subject}: ${found}, an earlier one knew it longer.`
    return lost === CONDEMNED
      ? `${subject}: other brokers found that out before.`
      : `${subject}: ${found}, another broker saw number ${lost}.`
  }

  #look(): void {
    if (this.#isStopped) return
    const { clock, witness, fatal } = this.#options
    if (witness.hasUrgentNews || clock.nowMs() - this.#notedAtMs >= NOTE_EVERY_MS) this.#note().catch(fatal)
    this.#timer = clock.later(() => this.#look(), LOOK_EVERY_MS)
  }

  #note(): Promise<void> {
    const { store, witness, clock } = this.#options
    const seen = witness.takeNews()
    if (seen === undefined) return this.#writing
    this.#notedAtMs = clock.nowMs()
    return this.#write(() => store.notes.write('seen', seen))
  }

  /** One after the other: two notes are never written at once. */
  #write(write: () => Promise<void>): Promise<void> {
    this.#writing = this.#writing.then(write)
    return this.#writing
  }
}

/** A note that is not as it should be is no note. */
function seenStores(note: unknown): readonly SeenStore[] {
  return Array.isArray(note) ? note.filter(isSeenStore) : []
}

function isSeenStore(value: unknown): value is SeenStore {
  const { storeId, bootId, walSeq } = (value ?? {}) as Record<string, unknown>
  return (
    typeof storeId === 'string' &&
    /^[0-9a-f]{32}$/.test(storeId) &&
    typeof bootId === 'string' &&
    Number.isSafeInteger(walSeq)
  )
}
