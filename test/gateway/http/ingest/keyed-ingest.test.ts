import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { SynodError } from '../../../../src/errors.ts'
import type { Topic } from '../../../../src/types/topic.ts'
import { eventually } from '../../../support/eventually.ts'
import type { FakePorts } from '../../fakes.ts'
import { openGateway } from '../../support/open-gateway.ts'
import { openIngest, type IngestLine } from '../../support/open-ingest.ts'

const QUICK = { lingerMs: 20 }
const KEY = { 'Idempotency-Key': 'import-7' }

const line = (record: object): string => `${JSON.stringify(record)}\n`
const text = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, index) => line({ text: `${from + index}` }))

/** Sends the lines, each piece once all before have their receipts, so that each piece is a group. */
async function ingest(
  t: TestContext,
  url: string,
  pieces: readonly (readonly string[])[],
): Promise<readonly IngestLine[]> {
  const open = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: KEY })
  let count = 0
  for (const piece of pieces) {
    open.send(piece.join(''))
    count += piece.length
    await eventually(() => assert.ok(open.lines.length >= count || open.lines.at(-1)?.problem !== undefined))
  }
  open.end()
  return open.all
}

function storedCount(ports: FakePorts, topic: Topic): number {
  return topic.partitions.reduce(
    (sum, { partition }) => sum + ports.log.partition(topic, partition).highWatermark,
    0,
  )
}

const places = (answer: readonly IngestLine[]) =>
  answer.slice(0, -1).map(({ partition, offset }) => `${partition}@${offset}`)

test('sent again with its key, an ingest stores nothing and its receipts say the same places, however it is cut', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t', 3)
  const lines = Array.from({ length: 60 }, (_, index) =>
    line(
      index % 4 === 0
        ? { text: `${index}` }
        : { key: `k${index % 5}`, value: { index }, headers: { n: `${index}` } },
    ),
  )
  const cut = (size: number) =>
    Array.from({ length: Math.ceil(lines.length / size) }, (_, at) => lines.slice(at * size, (at + 1) * size))
  const first: IngestLine[] = []
  {
    const open = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: KEY })
    for (const [at, piece] of cut(5).entries()) {
      open.send(piece.join(''))
      await eventually(() => assert.equal(open.lines.length, (at + 1) * 5))
      // Others write in between.
      for (const { partition } of topic.partitions) ports.log.put(topic, partition, [{ value: 'else' }])
    }
    open.end()
    first.push(...(await open.all))
  }
  assert.equal(new Set(first.slice(0, -1).map(({ partition }) => partition)).size, 3)
  const count = storedCount(ports, topic)
  for (const size of [60, 1, 7, 5]) {
    const again = await ingest(t, url, cut(size))
    assert.deepEqual(again.at(-1), { end: true, accepted: 60 }, `pieces of ${size}`)
    assert.deepEqual(places(again), places(first))
    assert.ok(again.slice(0, -1).every(({ duplicate }) => duplicate === true))
  }
  assert.equal(storedCount(ports, topic), count)
})

test('a longer body goes on where the shorter one ended, and a shorter one is answered as far as it goes', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  await ingest(t, url, [text(3), text(3, 3)])
  const longer = await ingest(t, url, [text(10)])
  assert.deepEqual(
    longer.slice(0, -1).map(({ offset, duplicate }) => [offset, duplicate]),
    Array.from({ length: 10 }, (_, offset) => [offset, offset < 6]),
  )
  const shorter = await ingest(t, url, [text(4)])
  assert.deepEqual(shorter.at(-1), { end: true, accepted: 4 })
  assert.deepEqual(places(shorter), ['0@0', '0@1', '0@2', '0@3'])
  assert.equal(storedCount(ports, topic), 10)
})

for (const [what, other] of [
  ['text', { text: 'other' }],
  ['form', { value: '2' }],
  ['key', { text: '2', key: 'k', partition: 0 }],
  ['header', { text: '2', headers: { a: 'b' } }],
  ['time', { text: '2', timestamp: '2026-01-31T12:00:00.000Z' }],
] as const) {
  test(`a line that is not what its key stands for ends the ingest, and nothing is stored (${what})`, async (t) => {
    const { url, ports } = await openGateway(t, QUICK)
    const topic = ports.topics.add('t')
    await ingest(t, url, [text(2), text(2, 2)])
    const changed = [...text(2), line(other), ...text(4, 3)]
    const answer = await ingest(t, url, [changed])
    const problem = answer.at(-1)?.problem
    assert.deepEqual(
      [problem?.code, problem?.['status'], problem?.line, problem?.accepted],
      ['idempotency-key-reused', 422, 3, 2],
    )
    assert.equal(storedCount(ports, topic), 4)
  })
}

test('lines that were trimmed since are answered as stored, without a place', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  await ingest(t, url, [text(2), text(2, 2), text(2, 4)])
  ports.log.trim(topic, 0, 4)
  const answer = await ingest(t, url, [text(7)])
  assert.deepEqual(
    answer.slice(0, -1).map(({ offset, duplicate }) => [offset, duplicate]),
    [
      [undefined, true],
      [undefined, true],
      [undefined, true],
      [undefined, true],
      [4, true],
      [5, true],
      [6, false],
    ],
  )
})

test('an ingest whose key was forgotten in the middle goes on, unless a line of it may be stored already', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  const forget = () => ports.log.partition(topic, 0).producers.clear()
  const open = await openIngest(t, `${url}/v1/topics/t/ingest`, { headers: KEY })
  open.send(text(3).join(''))
  await eventually(() => assert.equal(open.lines.length, 3))
  forget()
  open.send(text(2, 3).join(''))
  await eventually(() => assert.equal(open.lines.length, 5))
  ports.log.beforeAppend = () => {
    ports.log.beforeAppend = forget
    throw new SynodError('outcome-unknown', 'Nobody knows.', { retryAfterMs: 1 })
  }
  open.send(text(1, 5).join(''))
  const problem = (await open.all).at(-1)?.problem
  assert.deepEqual([problem?.code, problem?.retryable, problem?.accepted], ['outcome-unknown', true, 5])
  assert.equal(storedCount(ports, topic), 5)
})

test('two ingests with one key at the same time store each line once', async (t) => {
  const { url, ports } = await openGateway(t, QUICK)
  const topic = ports.topics.add('t')
  const opens = await Promise.all(
    [1, 2].map(() => openIngest(t, `${url}/v1/topics/t/ingest`, { headers: KEY })),
  )
  for (let index = 0; index < 40; index += 2) {
    opens[0]!.send(text(2, index).join(''))
    if (index % 8 === 0) opens[1]!.send(text(8, index).join(''))
    if (index % 6 === 0) await eventually(() => assert.ok(opens[0]!.lines.length >= index))
  }
  for (const open of opens) open.end()
  const answers = await Promise.all(opens.map(({ all }) => all))
  for (const answer of answers) {
    assert.deepEqual(answer.at(-1), { end: true, accepted: 40 })
    assert.deepEqual(
      places(answer),
      Array.from({ length: 40 }, (_, offset) => `0@${offset}`),
    )
  }
  assert.equal(storedCount(ports, topic), 40)
})
