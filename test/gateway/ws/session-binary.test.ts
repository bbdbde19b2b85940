import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SynodError } from '../../../src/errors.ts'
import { BINARY_CODEC } from '../../../src/gateway/ws/session-binary.ts'
import type { RecordForm } from '../../../src/types/record.ts'
import { eventually } from '../../support/eventually.ts'
import { countedBatch, storedRecord } from '../reading/batches.ts'
import { asTextFrame, decodeBinary, encodeBinary } from './binary-frames.ts'
import { producedRecords } from './produced-records.ts'
import { openSession, parseServerFrame, PLENTY } from './session-client.ts'
import { SESSION_FRAME_BYTES, startSubscribeServer } from './subscribe-server.ts'

const PROTOCOLS = ['synod.v1.bin']
const HEAD = { topicName: 't', sid: 'a "sid"', epoch: 3, cursor: 'c' }
const subscribe = (sid: string, more: Record<string, unknown> = {}) => ({
  type: 'subscribe',
  id: `subscribe ${sid}`,
  sid,
  topic: 't',
  from: 'earliest',
  credit: PLENTY,
  ...more,
})

/** The payload of one frame of the server, whole and unmasked. */
function payloadOf(pieces: readonly Buffer[]): Buffer {
  const bytes = Buffer.concat(pieces)
  assert.equal(bytes[0], 0x82, 'One whole binary message.')
  const short = bytes.readUInt8(1)
  const at = short === 127 ? 10 : short === 126 ? 4 : 2
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short
  assert.equal(bytes.length - at, length)
  return bytes.subarray(at)
}

const anyBytes = fc.uint8Array({ maxLength: 40 })
const anyValue: fc.Arbitrary<{ readonly form: RecordForm; readonly value: Uint8Array }> = fc.oneof(
  fc.json({ maxDepth: 3 }).map((text) => ({ form: 'json' as const, value: Buffer.from(text) })),
  fc.string({ unit: 'grapheme' }).map((text) => ({ form: 'text' as const, value: Buffer.from(text) })),
  anyBytes.map((value) => ({ form: 'bytes' as const, value })),
  fc.constant({ form: 'tombstone' as const, value: Buffer.alloc(0) }),
)
const anyRecord = fc.record({
  content: anyValue,
  key: fc.option(fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' }), { nil: undefined }),
})

test('any records become a header and their values, byte for byte, wherever a chunk begins and ends', () => {
  const cuts = fc.tuple(
    fc.array(fc.array(anyRecord, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
    fc.nat(3),
    fc.nat(3),
  )
  fc.assert(
    fc.property(cuts, ([groups, skipped, left]) => {
      let offset = 7
      const batches = groups.map((group) =>
        countedBatch(group.map(({ content, key }) => storedRecord(offset++, { ...content, key }))),
      )
      const all = batches.flatMap(({ records }) => records)
      const fromOffset = 7 + Math.min(skipped, groups[0]!.length - 1)
      const nextOffset = Math.max(fromOffset + 1, offset - left)
      const wanted = all.filter((record) => record.offset >= fromOffset && record.offset < nextOffset)
      const chunk = { partition: 2, batches, fromOffset, nextOffset, byteLength: 0 }
      const message = decodeBinary(payloadOf(BINARY_CODEC.records(chunk, HEAD)))
      parseServerFrame(asTextFrame(message))
      assert.deepEqual(message.values, Buffer.concat(wanted.map(({ value }) => value)))
      const records = message.frame['records'] as Record<string, unknown>[]
      assert.deepEqual(
        records.map(({ offset: at, partition, key, form, size }) => [at, partition, key, form, size]),
        wanted.map((record) => [
          record.offset,
          2,
          record.key,
          ...(record.form === 'tombstone' ? [undefined, undefined] : [record.form, record.value.byteLength]),
        ]),
      )
    }),
  )
})

test('any produce is read as the records that were written', () => {
  fc.assert(
    fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 10 }), (drawn) => {
      const records = drawn.map(({ content, key }) =>
        content.form === 'tombstone' ? { key } : { key, form: content.form, size: content.value.byteLength },
      )
      const frame = { type: 'produce', id: 'p', topic: 't', records }
      const data = encodeBinary(
        frame,
        drawn.map(({ content }) => content.value),
      )
      const read = producedRecords(BINARY_CODEC, data, true)
      assert.deepEqual(
        read.map(({ draft }) => [draft.key, draft.form, Buffer.from(draft.value)]),
        drawn.map(({ content, key }) => [key, content.form, Buffer.from(content.value)]),
      )
    }),
  )
})

test('a batch is encoded once for all subscribers of the form', () => {
  const batch = countedBatch([storedRecord(0), storedRecord(1)])
  const chunk = { partition: 0, batches: [batch], fromOffset: 0, nextOffset: 2, byteLength: 0 }
  BINARY_CODEC.records(chunk, HEAD)
  const once = batch.looks()
  BINARY_CODEC.records(chunk, { ...HEAD, sid: 'b' })
  // The values themselves are looked up each time, and never copied for long.
  assert.equal(batch.looks() - once, 1)
})

test('values that do not fit their header are refused with a pointer, before anything is stored', () => {
  const wrong: readonly [unknown, readonly Uint8Array[], string][] = [
    [[{ size: 3 }], [Buffer.from('ab')], '/records/0/size'],
    [[{ size: 1 }], [Buffer.from('ab')], ''],
    [[{ size: -1 }], [], '/records/0/size'],
    [[{ size: 0.5 }], [], '/records/0/size'],
    [[{ form: 'text' }], [], '/records/0/size'],
    [[{ size: 1, form: 'xml' }], [Buffer.from('a')], '/records/0/form'],
    [[{ size: 1, form: 'json' }], [Buffer.from('{')], '/records/0'],
    [[{ size: 1, form: 'text' }], [Buffer.from([0xff])], '/records/0'],
    [[{ size: 1 }, { text: 'x', size: 1 }], [Buffer.from('ab')], '/records/1'],
    [[{ size: 1, __proto: 1 }], [Buffer.from('a')], '/records/0/__proto'],
    [[3], [], '/records/0'],
    [{}, [], '/records'],
    [[], [], '/records'],
  ]
  for (const [records, values, pointer] of wrong) {
    const data = encodeBinary({ type: 'produce', id: 'p', topic: 't', records }, values)
    assert.throws(
      () => producedRecords(BINARY_CODEC, data, true),
      (error) => {
        assert.ok(error instanceof SynodError, String(error))
        const [first] = error.facts['errors'] as { pointer: string }[]
        assert.equal(first?.pointer, pointer, `${JSON.stringify(records)}: ${error.message}`)
        return true
      },
    )
  }
})

test('bytes come back as they were stored, with no base64 on their way, whatever their form', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server, PROTOCOLS)
  assert.equal(client.socket.protocol, 'synod.v1.bin')
  const messages: Buffer[] = []
  client.socket.on('message', (data: Buffer) => messages.push(data))
  const values = [
    Buffer.from([0, 255, 10, 13]),
    Buffer.from('{"n": 12345678901234567890}'),
    Buffer.from('héllo'),
  ]
  const records = [
    { key: 'k', headers: { trace: '1' }, size: 4 },
    { form: 'json', size: values[1]!.length },
    { form: 'text', size: values[2]!.length },
    { key: 'gone' },
    { form: 'text', size: 0 },
  ]
  client.send({ type: 'produce', id: 'p', topic: 't', records }, values)
  const { results } = await client.next('produced')
  assert.deepEqual(
    results.map(({ offset }) => offset),
    [0, 1, 2, 3, 4],
  )
  client.send(subscribe('a'))
  await eventually(() => assert.deepEqual(client.offsets('a'), [0, 1, 2, 3, 4]))
  const sent = messages.map(decodeBinary).filter(({ frame }) => frame['type'] === 'records')
  assert.deepEqual(Buffer.concat(sent.map((message) => message.values)), Buffer.concat(values))
  const heads = sent.flatMap(({ frame }) => frame['records'] as Record<string, unknown>[])
  assert.deepEqual(
    heads.map(({ form, size, key, headers }) => [form, size, key, headers]),
    [
      ['bytes', 4, 'k', { trace: '1' }],
      ['json', values[1]!.length, undefined, undefined],
      ['text', values[2]!.length, undefined, undefined],
      [undefined, undefined, 'gone', undefined],
      ['text', 0, undefined, undefined],
    ],
  )
  assert.equal(server.budget.takenBytes, 0)
})

test('one record larger than a copy goes in pieces and arrives whole', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  const value = Buffer.alloc(300_000, 'xyz')
  server.ports.log.put(topic, 0, [{ form: 'bytes', value }, { value: 'y' }])
  const client = await openSession(t, server, PROTOCOLS)
  client.send(subscribe('a', { credit: { records: 2, bytes: 10 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), [0]))
  assert.equal(client.of('records')[0]?.records[0]?.base64, value.toString('base64'))
})

test('rule 2 holds in the binary form: credit counts keys and values, not headers', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  for (let index = 0; index < 10; index++)
    server.ports.log.put(topic, 0, [{ key: 'k', value: Buffer.alloc(9), form: 'bytes' }])
  const client = await openSession(t, server, PROTOCOLS)
  client.send(subscribe('a', { credit: { records: 100, bytes: 30 } }))
  await eventually(() => assert.deepEqual(client.offsets('a'), [0, 1, 2]))
  await client.settled()
  client.send({ type: 'credit', sid: 'a', records: 0, bytes: 70 })
  await eventually(() => assert.equal(client.offsets('a').length, 10))
})

test('rule 7: what is no binary frame closes with 4500 after an error that says why', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const long = Buffer.alloc(8)
  long.writeUInt32BE(0xffffffff)
  const wrong: readonly [string | Buffer, string][] = [
    ['{"type":"ping"}', 'unsupported-media-type'],
    [Buffer.alloc(0), 'invalid-field'],
    [Buffer.alloc(3), 'invalid-field'],
    [long, 'invalid-field'],
    [encodeBinary({ type: 'ping' }, [Buffer.from('x')]), 'invalid-field'],
    [encodeBinary({ type: 'pong' }), 'invalid-field'],
    [Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from('{')]), 'malformed-json'],
  ]
  for (const [message, code] of wrong) {
    const client = await openSession(t, server, PROTOCOLS)
    client.socket.send(message)
    assert.equal(await client.closed, 4500)
    assert.equal(client.of('error')[0]?.problem.code, code)
  }
})

test('rule 8: every kind of frame is the same in both forms but for the values', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server, PROTOCOLS)
  const { limits } = await client.next('welcome')
  assert.equal(limits.frameBytes, SESSION_FRAME_BYTES)
  client.send(subscribe('a'))
  await client.next('subscribed')
  client.send({ type: 'produce', id: 'p', topic: 't', records: [{ size: 1 }] }, [Buffer.from('x')])
  await client.next('produced')
  await client.next('records')
  client.send({ type: 'seek', id: 's', sid: 'a', from: '0' })
  await client.next('subscribed', ({ epoch }) => epoch === 1)
  client.send({ type: 'unsubscribe', id: 'u', sid: 'a' })
  await client.next('end')
  client.send({ type: 'unsubscribe', id: 'u', sid: 'a' })
  await client.next('error')
  await client.settled()
  client.socket.close(1000)
  assert.equal(await client.closed, 1000)
})
