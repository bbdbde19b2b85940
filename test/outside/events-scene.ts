import assert from 'node:assert/strict'
import type { ChaosCluster } from '../chaos/chaos-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json } from '../system/api.ts'

const TOPIC = 'events'
const RECORDS = 200
/** The broker that serves the events is killed when so many were seen, and started again when so many are stored. */
const KILL_AFTER = 50
const START_AFTER = 120
const WAIT_MS = 60_000

/** An EventSource, wherever it lives. */
export interface EventReader {
  /** The data of each event up to now. */
  seen(): Promise<readonly string[]>
  /** How often the connection was opened. */
  openedCount(): Promise<number>
  /** That of the EventSource: 0 connecting, 1 open, 2 closed for good. */
  readyState(): Promise<number>
  close(): Promise<void>
}

/**
 * Somebody reads a topic by EventSource from one broker, which is killed in the middle and comes back; records are written
 * through another one all the time. Each is seen once and in order. A topic that is not there ends an EventSource for good.
 */
export async function readEventsOverAKill(
  cluster: ChaosCluster,
  open: (url: string) => Promise<EventReader>,
): Promise<string> {
  const [served, writing] = cluster.ids as [number, number]
  const { status } = await call(cluster.urlOf(writing), `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
  assert.equal(status, 201)
  const reader = await open(`${cluster.urlOf(served)}/v1/topics/${TOPIC}/events?from=earliest`)
  try {
    for (let index = 0; index < RECORDS; index++) {
      await store(cluster.urlOf(writing), index)
      if (index + 1 === KILL_AFTER) {
        await sees(reader, KILL_AFTER)
        await cluster.end(served, 'SIGKILL')
      }
      if (index + 1 === START_AFTER) await cluster.launch(served)
    }
    await sees(reader, RECORDS)
    assert.deepEqual(
      (await reader.seen()).map(valueOf),
      Array.from({ length: RECORDS }, (_, index) => valueAt(index)),
    )
    const opened = await reader.openedCount()
    assert.ok(opened >= 2, `It was opened ${opened} times.`)
  } finally {
    await reader.close()
  }
  const refused = await open(`${cluster.urlOf(writing)}/v1/topics/nowhere/events`)
  await eventually(async () => assert.equal(await refused.readyState(), 2), { timeoutMs: WAIT_MS })
  assert.equal(await refused.openedCount(), 0)
  await refused.close()
  return `${RECORDS} records over a killed broker, each once and in order`
}

/** By turns JSON, a text of two lines, which would end an event early, and bytes that are no UTF-8; each with its index in it. */
function valueAt(index: number): object {
  const text = `line one\nline ${index}`
  const bytes = Buffer.from([0xff, 0x00, 0x0a, index])
  return [{ value: { index } }, { text }, { base64: bytes.toString('base64') }][index % 3]!
}

/** Sent until it is stored. */
async function store(url: string, index: number): Promise<void> {
  await eventually(
    async () => {
      const { status, body } = await call(
        url,
        `/v1/topics/${TOPIC}/batches`,
        json('POST', { records: [valueAt(index)] }, { 'idempotency-key': `"event-${index}"` }),
      )
      assert.equal(status, 200, JSON.stringify(body))
    },
    { timeoutMs: WAIT_MS },
  )
}

/** What is said of the value, in the form in which it was given. */
function valueOf(data: string): object {
  const { value, text, base64 } = JSON.parse(data) as { value?: unknown; text?: string; base64?: string }
  if (value !== undefined) return { value }
  return text === undefined ? { base64 } : { text }
}

async function sees(reader: EventReader, count: number): Promise<void> {
  await eventually(async () => assert.ok((await reader.seen()).length >= count), { timeoutMs: WAIT_MS })
}
