import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SynodError } from '../../../../src/errors.ts'
import { eventually } from '../../../support/eventually.ts'
import { openGateway } from '../../support/open-gateway.ts'
import { openIngest, type IngestLine } from '../../support/open-ingest.ts'

/** Who is refused and sends on is listened to for so long. */
const QUICK = { lingerMs: 20 }

const line = (record: object): string => `${JSON.stringify(record)}\n`
const lines = (count: number, from = 0): string =>
  Array.from({ length: count }, (_, index) => line({ text: `${from + index}` })).join('')
const producer = (seq: number, epoch = 0) => ({
  'Producer-Id': 'till-3',
  'Producer-Epoch': String(epoch),
  'Producer-Seq': String(seq),
})
const problemOf = (answer: readonly IngestLine[]) => {
  const problem = answer.at(-1)?.problem
  assert.ok(problem, `It ends with a problem: ${JSON.stringify(answer.at(-1))}`)
  return problem
}

test('each line has its receipt while the body goes on, and the last line counts them', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  assert.equal(ingest.response.statusCode, 200)
  assert.equal(ingest.response.headers['content-type'], 'application/x-ndjson')
  for (let count = 1; count <= 3; count++) {
    ingest.send(line({ text: `${count}` }))
    await eventually(() => assert.equal(ingest.lines.length, count))
    assert.equal(ingest.lines[count - 1]?.offset, count - 1)
  }
  ingest.end()
  assert.deepEqual((await ingest.all).at(-1), { end: true, accepted: 3 })
})

test('receipts come in the order of the lines, whichever partition is the faster', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t', 2)
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  ports.log.beforeAppend = ({ partition }) => (partition === 1 ? held : undefined)
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send([0, 1, 0].map((partition) => line({ partition, text: 'a' })).join(''))
  await eventually(() => assert.equal(ingest.lines.length, 1))
  assert.equal(ports.log.appends.length, 2)
  release()
  ingest.end()
  assert.deepEqual(
    (await ingest.all).map(({ partition, offset }) => [partition, offset]),
    [
      [0, 0],
      [1, 0],
      [0, 1],
      [undefined, undefined],
    ],
  )
})

test('lines that arrive while a group is under way are the next group, of at most 1,000', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  ports.log.beforeAppend = () => held
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send(lines(1))
  await eventually(() => assert.equal(ports.log.appends.length, 1))
  ingest.send(lines(2_500, 1))
  ingest.end()
  release()
  const answer = await ingest.all
  assert.deepEqual(answer.at(-1), { end: true, accepted: 2_501 })
  assert.deepEqual(
    answer.slice(0, -1).map(({ offset }) => offset),
    Array.from({ length: 2_501 }, (_, index) => index),
  )
  assert.equal(ports.log.appends[0]?.records.length, 1)
  for (const { records } of ports.log.appends) assert.ok(records.length <= 1_000)
  assert.ok(ports.log.appends.length <= 10, 'Lines share slots.')
})

test('a record has all that a record of a batch has: key, headers, time, form, tombstone', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const value = '{ "big": 12345678901234567890, "b":1.10 }'
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send(`{"key":"k","value":${value},"headers":{"Trace":"abc"},"timestamp":"2026-01-31T12:00:00Z"}\r\n`)
  ingest.send(`\n  \r\n${line({ base64: '/w==' })}${line({ key: 'gone' })}{"text":"no break at the end"}`)
  ingest.end()
  assert.deepEqual((await ingest.all).at(-1), { end: true, accepted: 4 })
  const drafts = ports.log.appends.flatMap(({ records }) => records)
  assert.deepEqual(
    drafts.map(({ form }) => form),
    ['json', 'bytes', 'tombstone', 'text'],
  )
  assert.equal(Buffer.from(drafts[0]!.value).toString(), value)
  assert.deepEqual(drafts[0]!.headers, [['trace', 'abc']])
  assert.equal(drafts[0]!.timestampMs, Date.parse('2026-01-31T12:00:00Z'))
})

test('a bad line ends the ingest with its number, after the receipts of the lines before', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t', 2, { recordBytesMax: 50 })
  const bad: readonly [string, string][] = [
    ['{"text":', 'malformed-json'],
    ['"hello"', 'invalid-field'],
    ['{"txt":"a"}', 'unknown-field'],
    ['{"text":1}', 'invalid-field'],
    ['{"partition":7}', 'partition-not-found'],
    [JSON.stringify({ text: 'x'.repeat(51) }), 'record-too-large'],
  ]
  for (const [text, code] of bad) {
    const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
    ingest.send(`${lines(2)}\n${text}\n${lines(1)}`)
    const answer = await ingest.all
    const problem = problemOf(answer)
    assert.deepEqual([problem.code, problem.line, problem.accepted], [code, 4, 2])
    assert.ok(problem.detail.startsWith('Line 4: '), problem.detail)
    assert.equal(problem.sideEffects, 'none')
    assert.equal(answer.length, 3)
  }
})

test('what can be refused before the first line is, as any other request', async (t) => {
  const { refused, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const path = '/v1/topics/t/ingest'
  await refused('topic-not-found', 'POST', '/v1/topics/u/ingest', { body: Buffer.from(lines(1)) })
  const type = { headers: { 'Content-Type': 'text/csv' }, body: lines(1) }
  await refused('unsupported-media-type', 'POST', path, type)
  for (const more of [{ 'Expected-Offset': '0' }, { 'Producer-Id': 'p' }] as const) {
    const keyed = { headers: { 'Idempotency-Key': 'k', ...more }, body: Buffer.from(lines(1)) }
    await refused('invalid-parameter', 'POST', path, keyed)
  }
  await refused('unknown-parameter', 'POST', `${path}?partition=0`, { body: Buffer.from(lines(1)) })
  assert.equal(ports.log.appends.length, 0)
})

test('Producer-Seq and acks go with every group, and the numbers count on', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t', 5)
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest?acks=all`, { headers: producer(0) })
  for (let count = 1; count <= 3; count++) {
    ingest.send(lines(2))
    await eventually(() => assert.equal(ingest.lines.length, count * 2))
  }
  ingest.send(line({ text: 'elsewhere', partition: (ports.log.appends[0]!.partition + 1) % 5 }))
  const problem = problemOf(await ingest.all)
  assert.deepEqual([problem.code, problem.line], ['invalid-parameter', 7])
  let seq = 0
  for (const { idempotency, records, acks } of ports.log.appends) {
    assert.equal(acks, 'all')
    assert.ok(idempotency?.kind === 'producer')
    assert.equal(idempotency.seq, seq)
    seq += records.length
  }
  assert.equal(seq, 6)
})

test('a producer that sends again from anywhere stores nothing twice, however lines were grouped before', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  const run = async (text: string, seq: number) => {
    const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: producer(seq) })
    ingest.send(text)
    ingest.end()
    return ingest.all
  }
  assert.deepEqual((await run(lines(5), 0)).at(-1), { end: true, accepted: 5 })
  const again = await run(lines(8), 0)
  assert.deepEqual(again.at(-1), { end: true, accepted: 8 })
  const later = await run(lines(7, 3), 3)
  assert.deepEqual(
    later.slice(0, -1).map(({ duplicate }) => duplicate),
    [true, true, true, true, true, false, false],
  )
  assert.equal(ports.log.partition(topic, 0).highWatermark, 10)
  const gap = problemOf(await run(lines(1), 12))
  assert.deepEqual([gap.code, gap['expectedSeq'], gap.line], ['sequence-gap', 10, 1])
})

test('Expected-Offset holds for the first line and counts on', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  ports.log.put(topic, 0, [{ value: 'a' }])
  const late = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: { 'Expected-Offset': '0' } })
  late.send(lines(1))
  assert.equal(problemOf(await late.all)['highWatermark'], 1)
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: { 'Expected-Offset': '1' } })
  ingest.send(lines(2))
  await eventually(() => assert.equal(ingest.lines.length, 2))
  ports.log.put(topic, 0, [{ value: 'between' }])
  ingest.send(lines(1))
  const problem = problemOf(await ingest.all)
  assert.deepEqual([problem.code, problem['highWatermark'], problem.line], ['offset-mismatch', 4, 3])
})

test('what was certainly not stored is tried again for a while; a producer with numbers also when nobody knows', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const failures = ['no-leader', 'outcome-unknown', 'not-enough-in-sync', 'overloaded'] as const
  let left = [...failures]
  ports.log.beforeAppend = () => {
    const code = left.shift()
    if (code !== undefined) throw new SynodError(code, 'Not now.', { retryAfterMs: 1 })
  }
  const known = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: producer(0) })
  known.send(lines(1))
  known.end()
  assert.deepEqual((await known.all).at(-1), { end: true, accepted: 1 })
  left = [...failures]
  const plain = await openIngest(t, `${url}/v1/topics/t/ingest`)
  plain.send(lines(1))
  const problem = problemOf(await plain.all)
  assert.deepEqual([problem.code, problem.sideEffects, problem.line], ['outcome-unknown', 'possible', 1])
})

test('a refusal in the end does not hide that an earlier try may have stored the line', async (t) => {
  const { url, ports } = await openGateway(t, { ...QUICK, produceTimeoutMs: 1 })
  ports.topics.add('t')
  const left = ['outcome-unknown', 'producer-fenced'] as const
  let at = 0
  ports.log.beforeAppend = () => {
    throw new SynodError(left[at++]!, 'Not now.', { retryAfterMs: 0 })
  }
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: producer(0) })
  ingest.send(lines(1))
  const problem = problemOf(await ingest.all)
  assert.deepEqual([problem.code, problem.retryable], ['outcome-unknown', true])
})

test('where lines after a failed one are stored, the problem says what became of each', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t', 2)
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  ports.log.beforeAppend = async ({ partition }) => {
    if (partition === 1) return
    await held
    throw new SynodError('topic-full', 'Full.')
  }
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send([1, 0, 1, 0].map((partition) => line({ partition, text: 'a' })).join(''))
  await eventually(() => assert.equal(ingest.lines.length, 1))
  release()
  const problem = problemOf(await ingest.all)
  assert.deepEqual([problem.code, problem.line, problem.accepted], ['partial-append', 2, 1])
  assert.deepEqual(
    problem.results?.map((result) => result.problem?.code ?? result.offset),
    ['topic-full', 1],
  )
  assert.equal(problem.sideEffects, 'possible')
})

test('a topic that is closed or deleted meanwhile takes no further line', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send(lines(1))
  await eventually(() => assert.equal(ingest.lines.length, 1))
  await ports.topics.alter('t', { config: { closed: true }, partitions: undefined }, undefined)
  ingest.send(lines(1))
  const problem = problemOf(await ingest.all)
  assert.deepEqual([problem.code, problem.line], ['topic-closed', 2])
})

test('when the broker stops, what is under way is answered and the rest is refused as draining', async (t) => {
  const { gateway, url, ports } = await openGateway(t, QUICK)
  ports.topics.add('t')
  let release = (): void => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  ports.log.beforeAppend = () => held
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send(lines(1))
  await eventually(() => assert.equal(ports.log.appends.length, 1))
  ingest.send(lines(1))
  const closing = gateway.close({ drainMs: 5_000 })
  release()
  const answer = await ingest.all
  const problem = problemOf(answer)
  assert.deepEqual([answer.length, problem.code, problem.accepted], [2, 'draining', 1])
  ingest.request.destroy()
  await closing
  assert.equal(gateway.inFlightBytes, 0)
})

test('a client that goes away in the middle costs nothing, and what was sent to the log stays there', async (t) => {
  const { gateway, url, ports, logged } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send(lines(3))
  await eventually(() => assert.equal(ingest.lines.length, 3))
  ingest.send('{"text":"half a')
  await eventually(() => assert.ok(gateway.inFlightBytes > 0))
  ingest.request.destroy()
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
  assert.equal(ports.log.partition(topic, 0).highWatermark, 3)
  assert.deepEqual(logged, [])
})
