import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Idempotency, RecordDraft } from '../../src/types/record.ts'
import { SynodError } from '../../src/errors.ts'
import {
  BATCH_BYTES_MAX,
  batchBody,
  checkBatch,
  committedBatch,
  contentChecksum,
  decodeRecords,
  encodeBatch,
  IDEMPOTENCY_KEY_BYTES_MAX,
  MalformedBatchError,
  peekBatch,
  PRODUCER_ID_BYTES_MAX,
  RECORDS_PER_BATCH_MAX,
  setAppendedAt,
} from '../../src/partition/record-batch.ts'
import {
  CONTENT_TYPE_BYTES_MAX,
  HEADER_NAME_BYTES_MAX,
  HEADER_VALUE_BYTES_MAX,
  HEADERS_PER_RECORD_MAX,
  KEY_BYTES_MAX,
  VALUE_BYTES_MAX,
} from '../../src/partition/record-codec.ts'
import { batch, key, producer, record } from './entries.ts'

const text = (maxLength: number, minLength = 0) => fc.string({ unit: 'binary', maxLength, minLength })
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const time = fc.integer({ min: -Number.MAX_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER })
const count = fc.integer({ min: 0, max: 2 ** 52 })

const draft: fc.Arbitrary<RecordDraft> = fc
  .record({
    form: fc.constantFrom('json' as const, 'text' as const, 'bytes' as const, 'tombstone' as const),
    key: optional(text(20)),
    value: fc.uint8Array({ maxLength: 200 }),
    contentType: optional(text(20)),
    timestampMs: optional(time),
    headers: fc.array(fc.tuple(text(10), text(20)), { maxLength: 4 }),
  })
  .map((made) => (made.form === 'tombstone' ? { ...made, value: new Uint8Array(0) } : made))

const idempotency: fc.Arbitrary<Idempotency | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record({
    kind: fc.constant('key' as const),
    key: text(20, 1),
    fingerprint: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
  fc.record({ kind: fc.constant('producer' as const), id: text(16, 1), epoch: count, seq: count }),
)

const batchDraft = fc.record({
  records: fc.array(draft, { minLength: 1, maxLength: 8 }),
  appendedAtMs: count,
  idempotency,
  expectedOffset: optional(count),
})

function refusal(code: string) {
  return (error: unknown) => error instanceof SynodError && error.code === code
}

/** Plain values, so that a Buffer and a Uint8Array with the same bytes are equal. */
function plain(value: object): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, each) =>
      each?.type === 'Buffer' ? each.data : ArrayBuffer.isView(each) ? [...(each as Uint8Array)] : each,
    ),
  )
}

test('a batch comes back as it was encoded', () => {
  fc.assert(
    fc.property(batchDraft, count, (made, baseOffset) => {
      const body = encodeBatch(made)
      const header = checkBatch(body)
      assert.equal(header.appendedAtMs, made.appendedAtMs)
      assert.equal(header.recordCount, made.records.length)
      assert.equal(header.expectedOffset, made.expectedOffset)
      assert.deepEqual(plain({ is: header.idempotency }), plain({ is: made.idempotency }))
      const expected = made.records.map((each, index) => ({
        ...each,
        offset: baseOffset + index,
        timestampMs: each.timestampMs ?? made.appendedAtMs,
      }))
      assert.deepEqual(plain(decodeRecords(body, baseOffset)), plain(expected))
    }),
  )
})

test('the layout of version 1 stays as it was written to disk', () => {
  const body = encodeBatch({
    records: [
      {
        form: 'json',
        key: 'k',
        value: Buffer.from('1'),
        contentType: 't',
        timestampMs: -1,
        headers: [['n', 'v']],
      },
      {
        form: 'tombstone',
        key: undefined,
        value: Buffer.of(),
        contentType: undefined,
        timestampMs: undefined,
        headers: [],
      },
    ],
    appendedAtMs: 2 ** 32 + 5,
    idempotency: producer('p', 7, 8),
    expectedOffset: 9,
  })
  const header =
    '01' +
    '05' +
    '0000000100000005' +
    '0002' +
    '0170' +
    '0000000000000007' +
    '0000000000000008' +
    '0000000000000009'
  const first = '3c' + 'ffffffffffffffff' + '000000016b' + '000174' + '0001' + '00016e' + '000176' + '31'
  assert.equal(body.toString('hex'), header + '0000001a' + '00000001' + first + '03')
})

test('values are views into the body, not copies', () => {
  const body = batch({ values: ['hello', 'world'] })
  const [first, second] = decodeRecords(body, 0)
  body[body.indexOf('world')] = 'W'.charCodeAt(0)
  assert.equal(Buffer.from(first!.value).toString(), 'hello')
  assert.equal(Buffer.from(second!.value).toString(), 'World')
})

test('a body inside a larger array is read at its place', () => {
  const body = batch({ values: ['hello'] })
  const frame = new Uint8Array(body.length + 20).fill(7)
  frame.set(body, 13)
  const view = frame.subarray(13, 13 + body.length)
  setAppendedAt(view, 77)
  assert.equal(peekBatch(view).appendedAtMs, 77)
  assert.equal(Buffer.from(decodeRecords(view, 0)[0]!.value).toString(), 'hello')
  assert.deepEqual(
    [...frame.subarray(0, 13), ...frame.subarray(13 + body.length)],
    Array.from({ length: 20 }, () => 7),
  )
})

test('setting the time changes eight bytes and leaves the content checksum alone', () => {
  const body = batch({ values: ['a', 'b'], atMs: 1, idempotency: producer('p', 0, 0) })
  const before = Buffer.from(body)
  const checksum = contentChecksum(body, peekBatch(body))
  setAppendedAt(body, Number.MAX_SAFE_INTEGER)
  assert.equal(peekBatch(body).appendedAtMs, Number.MAX_SAFE_INTEGER)
  assert.equal(contentChecksum(body, peekBatch(body)), checksum)
  const changed = [...body].flatMap((byte, index) => (byte === before[index] ? [] : [index]))
  assert.ok(changed.every((index) => index >= 2 && index < 10))
})

test('the content checksum is the same for the same records of another sequence, and another for other records', () => {
  const checksum = (values: string[], seq: number) => {
    const body = batch({ values, atMs: seq, idempotency: producer('p', 0, seq) })
    return contentChecksum(body, peekBatch(body))
  }
  assert.equal(checksum(['a', 'b'], 0), checksum(['a', 'b'], 17))
  assert.notEqual(checksum(['a', 'b'], 0), checksum(['ab', ''], 0))
})

test('any cut or padded body is refused as malformed', () => {
  fc.assert(
    fc.property(batchDraft, fc.nat(), (made, where) => {
      const body = encodeBatch(made)
      assert.throws(() => peekBatch(body.subarray(0, where % body.length)), MalformedBatchError)
      assert.throws(
        () => peekBatch(Buffer.concat([body, Buffer.alloc(1 + (where % 9))])),
        MalformedBatchError,
      )
    }),
  )
})

test('changed or random bytes are refused as malformed or give a readable batch, never another error', () => {
  const changed = fc
    .tuple(batchDraft, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }))
    .map(([made, edits]) => {
      const body = encodeBatch(made)
      for (const [at, byte] of edits) body[at % body.length] = byte
      return body as Uint8Array
    })
  const random = fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.of(1, ...bytes))
  fc.assert(
    fc.property(fc.oneof(changed, random), (body) => {
      try {
        const header = checkBatch(body)
        assert.equal(decodeRecords(body, 0).length, header.recordCount)
      } catch (error) {
        assert.ok(error instanceof MalformedBatchError, String(error))
      }
    }),
    { numRuns: 1_000 },
  )
})

test('impossible flags, versions, marks and names are malformed', () => {
  const edits: [number, number][] = [
    [0, 2],
    [1, 3],
    [1, 8],
    [10, 255],
    [11, 0],
    [12, 0],
    [13, 0xff],
  ]
  for (const [at, byte] of edits) {
    const body = batch({ idempotency: producer('pp', 0, 0) })
    body[at] = byte
    assert.throws(() => peekBatch(body), MalformedBatchError, `byte ${at} = ${byte}`)
  }
  const body = batch({ values: [''] })
  body[body.length - 1] = 0b11000000
  assert.throws(() => checkBatch(body), MalformedBatchError)
  const tombstone = batch({ values: ['x'] })
  tombstone[tombstone.length - 2] = 3
  assert.throws(() => checkBatch(tombstone), MalformedBatchError)
})

test('a committed batch decodes its records once, on first use', () => {
  const body = batch({ values: ['a', 'b'], atMs: 5 })
  const committed = committedBatch(body, 40)
  assert.equal(committed.baseOffset, 40)
  assert.equal(committed.recordCount, 2)
  assert.equal(committed.appendedAtMs, 5)
  assert.equal(committed.byteLength, body.length)
  assert.equal(committed.records[1]!.offset, 41)
  assert.equal(committed.records, committed.records)
  assert.equal(batchBody(committed), body)
  assert.throws(() => committedBatch(Buffer.from('garbage'), 0), MalformedBatchError)
})

test('the largest batch of records passes, one more is refused', () => {
  const values = Array.from({ length: RECORDS_PER_BATCH_MAX }, () => 'v')
  assert.equal(checkBatch(batch({ values })).recordCount, RECORDS_PER_BATCH_MAX)
  assert.throws(() => batch({ values: [...values, 'v'] }), refusal('batch-too-large'))
})

test('the bytes of a batch are bounded', () => {
  const value = Buffer.alloc(VALUE_BYTES_MAX)
  const make = (records: RecordDraft[]) =>
    encodeBatch({ records, appendedAtMs: 0, idempotency: undefined, expectedOffset: undefined })
  const large = { ...record(''), form: 'bytes' as const, value }
  assert.equal(checkBatch(make([large])).recordCount, 1)
  assert.ok(2 * VALUE_BYTES_MAX + 30 > BATCH_BYTES_MAX)
  assert.throws(() => make([large, large]), refusal('batch-too-large'))
  assert.throws(
    () => make([{ ...large, value: Buffer.alloc(VALUE_BYTES_MAX + 1) }]),
    refusal('record-too-large'),
  )
})

test('each part of a record passes at its bound and is refused beyond it', () => {
  const make = (change: Partial<RecordDraft>) => () =>
    checkBatch(
      encodeBatch({
        records: [{ ...record('v'), ...change }],
        appendedAtMs: 0,
        idempotency: undefined,
        expectedOffset: undefined,
      }),
    )
  const bounds: [number, (length: number) => Partial<RecordDraft>][] = [
    [KEY_BYTES_MAX, (length) => ({ key: 'k'.repeat(length) })],
    [CONTENT_TYPE_BYTES_MAX, (length) => ({ contentType: 't'.repeat(length) })],
    [HEADERS_PER_RECORD_MAX, (length) => ({ headers: Array.from({ length }, () => ['n', 'v'] as const) })],
    [HEADER_NAME_BYTES_MAX, (length) => ({ headers: [['n'.repeat(length), '']] })],
    [HEADER_VALUE_BYTES_MAX, (length) => ({ headers: [['', 'v'.repeat(length)]] })],
  ]
  for (const [max, change] of bounds) {
    make(change(max))()
    assert.throws(make(change(max + 1)), refusal('invalid-field'))
  }
  assert.throws(make({ timestampMs: 0.5 }), refusal('invalid-field'))
  assert.throws(make({ form: 'tombstone' }), refusal('invalid-field'))
})

test('idempotency fields pass at their bounds and are refused beyond them', () => {
  const max = Number.MAX_SAFE_INTEGER
  checkBatch(batch({ idempotency: producer('p'.repeat(PRODUCER_ID_BYTES_MAX), max, max) }))
  checkBatch(batch({ idempotency: key('k'.repeat(IDEMPOTENCY_KEY_BYTES_MAX)) }))
  const wrong: Idempotency[] = [
    producer('', 0, 0),
    producer('p'.repeat(PRODUCER_ID_BYTES_MAX + 1), 0, 0),
    producer('p', -1, 0),
    producer('p', 0, 0.5),
    key(''),
    key('k'.repeat(IDEMPOTENCY_KEY_BYTES_MAX + 1)),
  ]
  for (const idempotency of wrong) assert.throws(() => batch({ idempotency }), refusal('invalid-field'))
  assert.throws(
    () => batch({ values: ['a', 'b'], idempotency: producer('p', 0, max) }),
    refusal('invalid-field'),
  )
  assert.throws(() => batch({ expectedOffset: -1 }), refusal('invalid-field'))
})
