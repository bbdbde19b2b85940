import { crc32 } from 'node:zlib'
import { chainEntry } from '../../src/paxos/entry.ts'
import { ENTRY_KIND, initialState, type Entry, type StateRecord } from '../../src/paxos/state.ts'
import type { Write } from '../../src/paxos/effects.ts'
import { brokerId, groupId, slot, storeId, type GroupId, type Slot } from '../../src/types/ids.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import type { StoreOptions, StoreTuning } from '../../src/storage/options.ts'

export const GROUP = groupId(7)
export const OTHER = groupId(8)
export const BROKER = brokerId(1)
export const STORE = storeId('00112233445566778899aabbccddeeff')

export function ballot(round: number): Entry['origin'] {
  return { config: 1, round, broker: BROKER }
}

/** What a core would write: keeps chains and slots right. */
export class SampleLog {
  state: StateRecord
  /** Chain values by slot; 0 stands before the first. */
  readonly #chains: number[] = [0]

  constructor() {
    this.state = initialState({
      number: 1,
      voters: [{ broker: BROKER, store: STORE }],
      learners: [],
      fromSlot: slot(0),
    })
  }

  get through(): number {
    return this.#chains.length - 1
  }

  chainAt(at: number): number {
    return this.#chains[at] ?? 0
  }

  /** Entries from this slot on, which drop everything above. */
  entries(from: number, bodies: readonly string[], round = 1): Entry[] {
    this.#chains.length = from
    return bodies.map((text, index) => {
      const body = Buffer.from(text)
      const facts = {
        slot: slot(from + index),
        kind: ENTRY_KIND.DATA,
        origin: ballot(round),
        recordCount: 1,
        crc: crc32(body),
      }
      const entry = chainEntry(this.chainAt(from + index - 1), facts, body, crc32)
      this.#chains.push(entry.chain)
      return entry
    })
  }

  /** A state record with this promise, cutting the log to `through`. */
  promise(round: number, through = this.through): Write {
    this.#chains.length = through + 1
    this.state = { ...this.state, promised: ballot(round), through: slot(through) }
    return { kind: 'state', state: this.state }
  }

  write(from: number, bodies: readonly string[], round = 1): Write[] {
    return this.entries(from, bodies, round).map((entry) => ({ kind: 'entry', entry }))
  }
}

/** Options whose time and schedule stand still until a test moves them. */
export class TestHost {
  nowMs = 0
  readonly failures: Error[] = []
  readonly warnings: string[] = []
  idleCount = 0
  readonly #scheduled: (() => void)[] = []

  options(tuning: Partial<StoreTuning> = {}): StoreOptions {
    return {
      brokerId: BROKER,
      randomStoreId: () => STORE,
      nowMs: () => this.nowMs,
      schedule: (run) => void this.#scheduled.push(run),
      onFailure: (error) => void this.failures.push(error),
      onWarning: (sentence) => void this.warnings.push(sentence),
      onIdle: () => void this.idleCount++,
      tuning,
    }
  }

  /** Runs what was scheduled up to now: the lazy writes of the index. */
  elapse(): void {
    for (const run of this.#scheduled.splice(0)) run()
  }
}

/** Appends and waits until it is durable. */
export function persist(store: JournaledStore, group: GroupId, writes: readonly Write[]): Promise<void> {
  return new Promise((resolve) => store.append({ group, writes, onDurable: resolve }))
}

export async function bodiesOf(
  store: JournaledStore,
  from: number,
  to: number,
  group = GROUP,
): Promise<string[]> {
  const entries = await store.readEntries(group, from as Slot, to as Slot, 1e9)
  return entries.map((entry) => Buffer.from(entry.body).toString())
}

/** Marks of one record each: slot s holds offset s - 1, appended at 1000 * s. */
export function applied(to: number, from = 1, group = GROUP): Parameters<JournaledStore['indexApplied']>[0] {
  const marks = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => ({
    slot: slot(from + index),
    baseOffset: from + index - 1,
    recordCount: 1,
    appendedAtMs: 1_000 * (from + index),
  }))
  const rows = [{ key: Buffer.from('last'), value: Buffer.from(String(to)) }]
  return { group, slot: slot(to), nextOffset: to, lastAppendedAtMs: 1_000 * to, logBytes: 0, marks, rows }
}
