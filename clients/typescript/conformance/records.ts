import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import { bytesOf, createSynodClient, type Receipt, type RecordInput, type SynodRecord } from '../src/client.ts'
import { decodeFrame } from '../src/frames.ts'

export type Case = readonly [name: string, run: () => Promise<void>]

export interface Shared {
  readonly urls: readonly string[]
}

const PARTITIONS = 3
const TOPIC = 'records'
const PAGE = 30
const CREDIT = { records: 10, bytes: 10_000 }

/** 100 records of every kind. */
const BATCH: readonly RecordInput[] = Array.from({ length: 100 }, (_, index): RecordInput => {
  const common = { key: `key-${index % 7}`, headers: { index: String(index), umlaut: 'ü' } }
  if (index === 50) return common
  if (index % 3 === 0) return { ...common, value: { index, nested: [null, true, 'ß'] } }
  if (index % 3 === 1) return { ...common, text: `text ${index} ✓` }
  return { ...common, base64: btoa(String.fromCharCode(index, 0, 255)) }
})

export function recordCases({ urls }: Shared): readonly Case[] {
  const client = createSynodClient(urls, { WebSocket })
  let receipts: readonly Receipt[] = []
  return [
    ['create', () => create(client)],
    ['raw-bytes', () => rawBytes(client)],
    [
      'batch',
      async () => {
        await client.createTopic(TOPIC, { partitions: PARTITIONS })
        receipts = await client.produce(TOPIC, BATCH)
        assertReceipts(receipts)
      },
    ],
    [
      'page',
      async () => {
        const seen: SynodRecord[] = []
        let cursor: string | undefined
        for (let isOver = false; !isOver; ) {
          const page = await client.readPage(TOPIC, { cursor, limit: PAGE, readAfter: receipts })
          assert.ok(page.records.length <= PAGE)
          seen.push(...page.records)
          cursor = page.cursor
          isOver = page.upToDate
        }
        assertBatch(seen, receipts)
      },
    ],
    [
      'stream',
      async () => {
        const seen: SynodRecord[] = []
        for await (const record of client.stream(TOPIC, { from: 'earliest', readAfter: receipts })) seen.push(record)
        assertBatch(seen, receipts)
      },
    ],
    ['subscribe', () => subscribeSlowly({ urls }, receipts)],
  ]
}

type Client = ReturnType<typeof createSynodClient>

async function create(client: Client): Promise<void> {
  await client.createTopic('created', { partitions: PARTITIONS })
  await client.createTopic('created', { partitions: PARTITIONS })
  const topic = (await client.get('/v1/topics/created')) as { name: string; partitions: readonly unknown[] }
  assert.equal(topic.name, 'created')
  assert.equal(topic.partitions.length, PARTITIONS)
}

async function rawBytes(client: Client): Promise<void> {
  const value = Uint8Array.from({ length: 256 }, (_, index) => index)
  const receipt = await client.produceBytes('created', value, { contentType: 'application/x-all-bytes' })
  const { partition, offset = 0 } = receipt
  assert.deepEqual(await client.readBytes('created', partition, offset, { readAfter: [receipt] }), value)
  for await (const record of client.subscribe('created')) {
    assert.equal(record.contentType, 'application/x-all-bytes')
    assert.deepEqual(bytesOf(record), value)
    break
  }
}

/** In their order: the offsets of each partition are those that come next. */
function assertReceipts(receipts: readonly Receipt[]): void {
  assert.equal(receipts.length, BATCH.length)
  const next = new Map<number, number>()
  for (const { topic, partition, offset } of receipts) {
    // A part may be a duplicate: one that was stored when others first had no leader, and all were sent again.
    assert.deepEqual([topic, offset], [TOPIC, next.get(partition) ?? 0])
    next.set(partition, (next.get(partition) ?? 0) + 1)
  }
}

/** Each record is where its receipt says and as it was sent, in order within each partition, and there is no other one. */
function assertBatch(seen: readonly SynodRecord[], receipts: readonly Receipt[]): void {
  assert.equal(seen.length, BATCH.length)
  const next = new Map<number, number>()
  for (const record of seen) {
    const { partition, offset } = record
    assert.equal(offset, next.get(partition) ?? 0)
    next.set(partition, offset + 1)
    const sent = BATCH[receipts.findIndex((each) => each.partition === partition && each.offset === offset)]
    const { key, headers, value, text, base64 } = record
    assert.deepEqual({ key, headers, value, text, base64 }, { value: undefined, text: undefined, base64: undefined, ...sent })
  }
}

/** What came over the socket is counted apart from the client, so that it cannot flatter itself. */
async function subscribeSlowly({ urls }: Shared, receipts: readonly Receipt[]): Promise<void> {
  let receivedCount = 0
  class Counting extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol)
      this.addEventListener('message', ({ data }) => {
        const frame = decodeFrame(data as ArrayBuffer)
        if (frame.type === 'records') receivedCount += frame.records.length
      })
    }
  }
  const client = createSynodClient(urls, { WebSocket: Counting })
  const seen: SynodRecord[] = []
  for await (const record of client.subscribe(TOPIC, { credit: CREDIT })) {
    // Time for a broker to send more than it may.
    await new Promise((resolve) => setTimeout(resolve, 3))
    assert.ok(receivedCount - seen.length <= CREDIT.records, `${receivedCount - seen.length} records wait.`)
    seen.push(record)
    if (seen.length === BATCH.length) break
  }
  assertBatch(seen, receipts)
}
