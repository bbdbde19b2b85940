import fc from 'fast-check'
import type { Idempotency } from '../../src/types/record.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { encodeExpireProducers } from '../../src/partition/expire-producers.ts'
import type { Row } from '../../src/storage/log-store.ts'
import { batch, dataAt, entryAt, key, noopAt, producer } from './entries.ts'

interface Sent {
  readonly epoch: number
  readonly seq: number
  readonly valueCount: number
}

/** What the producers of a log have sent so far, by their ids. */
type History = Map<string, Sent[]>

/** Makes the entry of a slot. */
type MakeEntry = (slot: number, history: History) => Entry

function values(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `v${index}`)
}

/** Mostly what a right producer does: the next batch, or one of its last ones again; at times a new epoch or anything. */
const produced: fc.Arbitrary<MakeEntry> = fc
  .record({
    id: fc.constantFrom('p', 'q'),
    step: fc.constantFrom('next', 'next', 'next', 'again', 'again', 'epoch', 'any'),
    back: fc.integer({ min: 1, max: 7 }),
    any: fc.record({ epoch: fc.nat(2), seq: fc.nat(6), valueCount: fc.integer({ min: 1, max: 3 }) }),
    atMs: fc.integer({ min: 1_000, max: 1_060 }),
  })
  .map(({ id, step, back, any, atMs }) => (slot, history) => {
    const sent = history.get(id) ?? []
    const last = sent.at(-1) ?? { epoch: 0, seq: 0, valueCount: 0 }
    let next: Sent = { ...last, seq: last.seq + last.valueCount, valueCount: any.valueCount }
    if (step === 'again') next = sent.at(-back) ?? next
    else if (step === 'epoch') next = { epoch: last.epoch + 1, seq: 0, valueCount: any.valueCount }
    else if (step === 'any') next = any
    if (step === 'next' || step === 'epoch') history.set(id, [...sent, next])
    const idempotency = producer(id, next.epoch, next.seq)
    return dataAt(slot, batch({ values: values(next.valueCount), atMs, idempotency }))
  })

const keyed: fc.Arbitrary<Idempotency | undefined> = fc.oneof(
  fc.constant(undefined),
  fc
    .tuple(fc.constantFrom('k', 'l', 'm', 'n'), fc.nat(1))
    .map(([name, fingerprint]) => key(name, fingerprint)),
)

/** Few names and low numbers, so that retries, reused keys and fitting offsets come often. */
const data: fc.Arbitrary<MakeEntry> = fc
  .record({
    valueCount: fc.integer({ min: 1, max: 2 }),
    atMs: fc.integer({ min: 1_000, max: 1_060 }),
    idempotency: keyed,
    expectedOffset: fc.option(fc.nat(12), { nil: undefined, freq: 6 }),
  })
  .map(({ valueCount, atMs, idempotency, expectedOffset }) => (slot) => {
    const more = {
      ...(idempotency && { idempotency }),
      ...(expectedOffset !== undefined && { expectedOffset }),
    }
    return dataAt(slot, batch({ values: values(valueCount), atMs, ...more }))
  })

const expire: fc.Arbitrary<MakeEntry> = fc
  .subarray(['p', 'q', 'nobody'])
  .map((ids) => (slot) => entryAt(slot, ENTRY_KIND.EXPIRE_PRODUCERS, encodeExpireProducers(ids)))

const malformed: fc.Arbitrary<MakeEntry> = fc
  .tuple(fc.constantFrom(ENTRY_KIND.DATA, ENTRY_KIND.EXPIRE_PRODUCERS), fc.uint8Array({ maxLength: 20 }))
  .map(
    ([kind, bytes]) =>
      (slot) =>
        entryAt(slot, kind, Uint8Array.of(1, ...bytes), 1),
  )

const makeEntry = fc.oneof(
  { weight: 8, arbitrary: produced },
  { weight: 5, arbitrary: data },
  { weight: 1, arbitrary: expire },
  { weight: 1, arbitrary: malformed },
  { weight: 1, arbitrary: fc.constant<MakeEntry>((slot) => noopAt(slot)) },
)

/** A log of a partition from slot 1, with every kind of entry. */
export const logArbitrary: fc.Arbitrary<readonly Entry[]> = fc
  .array(makeEntry, { maxLength: 40, size: 'max' })
  .map((makes) => {
    const history: History = new Map()
    return makes.map((make, index) => make(index + 1, history))
  })

/** Rows as the index keeps them: the newest of each key, in key order. */
export class RowStore {
  readonly #rows = new Map<string, Row>()

  put(rows: readonly Row[]): void {
    for (const row of rows) {
      const name = Buffer.from(row.key).toString('hex')
      if (row.value === undefined) this.#rows.delete(name)
      else this.#rows.set(name, row)
    }
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()].sort((a, b) => Buffer.compare(a.key, b.key))
  }

  /** For comparisons. */
  get text(): readonly string[] {
    return this.rows.map(
      (row) => `${Buffer.from(row.key).toString('hex')}=${Buffer.from(row.value!).toString('hex')}`,
    )
  }
}
