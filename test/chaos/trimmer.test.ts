import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { Random } from '../sim/random.ts'
import { eventually } from '../support/eventually.ts'
import { Trimmer } from './trimmer.ts'

const STORED = 5

/** At a broker that answers each order by this, and says that its partition begins there. */
async function startTrimmer(
  t: TestContext,
  options: { readonly retentionMs?: number; readonly logStart?: number } = {},
): Promise<{ trimmer: Trimmer; wrongs: string[] }> {
  const { retentionMs = null, logStart = 0 } = options
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json')
    // To an order it says more than later, to whom asks.
    response.end(JSON.stringify(request.method === 'POST' ? { logStart } : { earliest: 0 }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const wrongs: string[] = []
  const trimmer = new Trimmer({
    urls: [`http://127.0.0.1:${(server.address() as AddressInfo).port}`],
    topic: 'topic',
    partitions: 1,
    random: new Random(1),
    retentionMs,
    wrong: (sentence) => void wrongs.push(sentence),
  })
  t.after(async () => {
    await trimmer.stop()
    server.closeAllConnections()
    server.close()
  })
  const now = performance.now()
  trimmer.stored({
    type: 'produce',
    producer: 'p',
    identity: 'none',
    outcome: 'ok',
    startMs: now - 1_000,
    endMs: now,
    records: Array.from({ length: STORED }, (_, offset) => ({ value: `v${offset}`, partition: 0, offset })),
  })
  return { trimmer, wrongs }
}

test('finds records gone that nobody ordered to be trimmed', async (t) => {
  const { trimmer, wrongs } = await startTrimmer(t)
  trimmer.told(0, STORED)
  assert.equal(wrongs.length, STORED)
})

test('lets records go by their age, and not before', async (t) => {
  const old = await startTrimmer(t, { retentionMs: 900 })
  old.trimmer.told(0, STORED)
  assert.deepEqual(old.wrongs, [])
  const young = await startTrimmer(t, { retentionMs: 60_000 })
  young.trimmer.told(0, STORED)
  assert.equal(young.wrongs.length, STORED)
})

test('finds a partition that begins lower than it was trimmed before', async (t) => {
  const { trimmer, wrongs } = await startTrimmer(t, { logStart: 1, retentionMs: 900 })
  await eventually(() => assert.match(wrongs.join('\n'), /begins at 0, and was trimmed up to 1 before/))
  await trimmer.stop()
  const trimmed: number[] = []
  const { done } = trimmer.finish((_partition, below) => trimmed.push(below))
  assert.ok(done > 0)
  assert.deepEqual(trimmed, [1])
})
