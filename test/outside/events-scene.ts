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
      (await reader.seen()).map(indexOf),
      Array.from({ length: RECORDS }, (_, index) => index),
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

/** A record that is JSON, text or bytes, with its index in it; sent until it is stored. */
async function store(url: string, index: number): Promise<void> {
  const text = String(index)
  const values = [{ value: { index } }, { text }, { base64: Buffer.from(text).toString('base64') }]
  await eventually(
    async () => {
      const { status, body } = await call(
        url,
        `/v1/topics/${TOPIC}/batches`,
        json('POST', { records: [values[index % 3]] }, { 'idempotency-key': `"event-${index}"` }),
      )
      assert.equal(status, 200, JSON.stringify(body))
    },
    { timeoutMs: WAIT_MS },
  )
}

function indexOf(data: string): number {
  const { value, text, base64 } = JSON.parse(data) as { value?: unknown; text?: string; base64?: string }
  if (typeof value === 'object' && value !== null) return (value as { index: number }).index
  return Number(value ?? text ?? Buffer.from(base64 ?? '', 'base64').toString())
}

async function sees(reader: EventReader, count: number): Promise<void> {
  await eventually(async () => assert.ok((await reader.seen()).length >= count), { timeoutMs: WAIT_MS })
}
