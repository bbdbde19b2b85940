import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startDev, type DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { folderBytes } from '../support/folder-bytes.ts'
import { call, json, produce, topicOf } from './api.ts'

const MEBIBYTE = 1024 * 1024
const VALUE_BYTES = 256 * 1024
const VALUE_COUNT = 160
const KEPT_BYTES = 4 * MEBIBYTE

test('Keeps the disk of every broker bounded, and brings one back that was away for longer', async (t) => {
  const first = await startDev(t, { args: ['--no-restart'] })
  const [away, ...others] = first.brokers()
  assert.ok(away !== undefined && others[0] !== undefined)
  const { url } = others[0]
  const config = { retentionBytes: KEPT_BYTES }
  assert.equal((await call(url, '/v1/topics/events', json('PUT', { config }))).status, 201)
  const early = await produce(url, 'events', 'early', { 'Idempotency-Key': 'once' })
  assert.equal(early.status, 201)
  first.kill(away.id)
  for (let index = 0; index < VALUE_COUNT; index++) await produceUntilStored(url, index)
  await eventually(
    async () => {
      for (const { id } of others) {
        const bytes = await folderBytes(folderOf(first, id))
        assert.ok(bytes < 24 * MEBIBYTE, `broker ${id} takes ${bytes} bytes for ${KEPT_BYTES}`)
      }
    },
    { timeoutMs: 60_000 },
  )
  await first.killAll()

  const second = await startDev(t, { folder: first.folder })
  await eventually(
    async () => {
      const [partition] = (await topicOf(second.broker(away.id).url, 'events')).partitions
      assert.equal(partition?.inSync?.length, 3)
    },
    { timeoutMs: 30_000 },
  )
  const served = await Promise.all(second.brokers().map((broker) => readFromStart(broker.url)))
  for (const { values, logStart } of served) {
    assert.ok(logStart > 0 && values.length * VALUE_BYTES >= KEPT_BYTES)
    assert.deepEqual([logStart, values], [served[0]?.logStart, served[0]?.values])
  }
  const again = await produce(second.broker(away.id).url, 'events', 'early', { 'Idempotency-Key': 'once' })
  assert.deepEqual([again.status, again.body['duplicate'], again.body['offset']], [200, true, 0])
})

function folderOf(cluster: DevCluster, id: string): string {
  return join(cluster.folder, `broker-${id}`)
}

function valueOf(index: number): string {
  return `value ${index} `.padEnd(VALUE_BYTES, '.')
}

/** Right after the kill there may be no leader for a moment; a key makes it safe to ask again. */
async function produceUntilStored(url: string, index: number): Promise<void> {
  await eventually(
    async () => {
      const { status, body } = await produce(url, 'events', valueOf(index), {
        'Idempotency-Key': `value-${index}`,
      })
      assert.ok(status === 200 || status === 201, JSON.stringify(body))
    },
    { timeoutMs: 20_000 },
  )
}

/** What a broker has, in short: the log's start and the beginning of each value. */
async function readFromStart(url: string): Promise<{ logStart: number; values: readonly string[] }> {
  const records = '/v1/topics/events/partitions/0/records'
  const trimmed = await call(url, `${records}?from=0`)
  assert.equal(trimmed.status, 410, JSON.stringify(trimmed.body))
  const logStart = trimmed.body['logStart'] as number
  const values: string[] = []
  for (let from = logStart; ;) {
    const { status, body } = await call(url, `${records}?from=${from}`)
    assert.equal(status, 200, JSON.stringify(body))
    const page = body as unknown as { records: { text: string }[]; nextOffset: number; highWatermark: number }
    for (const { text } of page.records) values.push(`${text.slice(0, 12)} ${text.length}`)
    from = page.nextOffset
    if (from >= page.highWatermark) return { logStart, values }
  }
}
