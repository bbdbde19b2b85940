import { crc32 } from 'node:zlib'
import fc, { type Arbitrary } from 'fast-check'
import { fieldsOf, MESSAGE_TYPES, type FieldForm } from '../../src/transport/message-fields.ts'
import type { Message, MessageKind } from '../../src/paxos/messages.ts'
import type { Heartbeat } from '../../src/detector/heartbeat.ts'
import { DIGEST_PLACES_MAX, type Digest } from '../../src/types/digest.ts'
import { groupId, slot, storeId, type BrokerId } from '../../src/types/ids.ts'

const u32 = fc.oneof(fc.nat(100), fc.integer({ min: 0, max: 0xffffffff }), fc.constant(0xffffffff))
const count = fc.oneof(fc.nat(100), fc.maxSafeNat(), fc.constant(Number.MAX_SAFE_INTEGER))
const ballot = fc.record({
  config: u32,
  round: fc.oneof(fc.constant(1), u32),
  broker: fc.integer({ min: 0, max: 0xffff }),
})
const replica = fc.record({
  broker: fc.integer({ min: 1, max: 0xffff }),
  store: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((id) => Buffer.from(id).toString('hex')),
})
const body = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.integer({ min: 4_000, max: 9_000 }).map((length) => new Uint8Array(length).fill(length % 251)),
)
const entry = fc
  .record({
    slot: count,
    kind: fc.integer({ min: 1, max: 5 }),
    origin: ballot,
    recordCount: u32,
    chain: u32,
    body,
  })
  .map((facts) => ({ ...facts, crc: crc32(facts.body) }))

const FORMS: Readonly<Record<FieldForm, Arbitrary<unknown>>> = {
  slot: count,
  count,
  u32,
  boolean: fc.boolean(),
  ballot,
  entry,
  entries: fc.array(entry, { maxLength: 5 }),
  checkpoint: fc.record({
    slot: count,
    chain: u32,
    configuration: fc.record({
      number: u32,
      voters: fc.array(replica, { maxLength: 7 }),
      learners: fc.array(replica, { maxLength: 3 }),
      fromSlot: count,
    }),
    partCount: u32,
    offset: count,
    lastAppendedAtMs: count,
    logBytes: count,
  }),
  bytes: body,
}

export const MESSAGE_KINDS = Object.keys(MESSAGE_TYPES) as readonly MessageKind[]

/** Any message of a kind, with checksums that hold. */
export function arbitraryMessage(kind: MessageKind): Arbitrary<Message> {
  const fields = (fieldsOf(kind) ?? []).map(([name, form]) => [name, FORMS[form]] as const)
  return fc.record({
    kind: fc.constant(kind),
    ...Object.fromEntries(fields),
  }) as unknown as Arbitrary<Message>
}

const bootId = fc.string({ unit: 'grapheme-ascii', maxLength: 40 })
/** Objects as literals make them, so that they equal what a decoder makes. */
function plain<T>(fields: { [Name in keyof T]: Arbitrary<T[Name]> }): Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true }) as Arbitrary<T>
}

const store = fc
  .bigInt({ min: 0n, max: 2n ** 128n - 1n })
  .map((id) => storeId(id.toString(16).padStart(32, '0')))

export const arbitraryHeartbeat: Arbitrary<Heartbeat> = fc.record({
  bootId,
  sequence: count,
  acknowledged: count,
  heard: fc.array(
    fc.integer({ min: 1, max: 0xffff }).map((id) => id as BrokerId),
    { maxLength: 10 },
  ),
  stalled: fc.boolean(),
  draining: fc.boolean(),
  full: fc.boolean(),
  store: plain({
    storeId: store,
    starts: fc.array(plain({ bootId, recovered: count }), { minLength: 1, maxLength: 8 }),
    durableLsn: count,
    isOutsider: fc.boolean(),
    view: plain({ bootId, lost: count }),
    seen: fc.array(plain({ storeId: store, bootId, walSeq: count }), { maxLength: 8 }),
  }),
})

export const arbitraryDigest: Arbitrary<Digest> = fc.record({
  kind: fc.constantFrom('tell', 'reply', 'confirm'),
  places: fc.array(
    fc.record({
      group: u32.map(groupId),
      slot: count.map(slot),
      chain: u32,
      nextOffset: count,
    }),
    { maxLength: DIGEST_PLACES_MAX },
  ),
})

/** Bodies as text and names in order, so that a view of a Buffer equals the array it was made of. */
export function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  const parts = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(parts.map(([name, part]) => [name, comparable(part)]))
}
