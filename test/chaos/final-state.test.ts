import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import type { Operation } from '../history/operation.ts'
import { compareBrokers } from './final-state.ts'

const PAGE_RECORDS = 2

/** Serves these records of partition 0 in pages. */
async function serve(t: TestContext, records: readonly object[]): Promise<string> {
  const server = createServer((request, response) => {
    const from = Number(new URL(request.url ?? '', 'http://localhost').searchParams.get('from'))
    response.end(JSON.stringify({ records: records.slice(from, from + PAGE_RECORDS) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const RECORDS = Array.from({ length: 5 }, (_, offset) => ({ offset, timestamp: 't', text: `v${offset} x` }))

async function compare(
  urls: readonly string[],
  timeoutMs = 30_000,
  begin = 0,
): Promise<{ differences: readonly string[]; polls: number }> {
  const operations: Operation[] = []
  const differences = await compareBrokers(urls, 'topic', {
    highWatermarks: new Map([[0, RECORDS.length]]),
    begins: new Map([[0, begin]]),
    timeoutMs,
    record: (operation) => void operations.push(operation),
  })
  return { differences, polls: operations.filter(({ type }) => type === 'poll').length }
}

test('finds nothing where brokers serve the same', async (t) => {
  const urls = [await serve(t, RECORDS), await serve(t, RECORDS)]
  assert.deepEqual(await compare(urls), { differences: [], polls: 6 })
})

test('finds one different byte in any field, and says where', async (t) => {
  const good = await serve(t, RECORDS)
  const other = await serve(t, RECORDS.with(3, { ...RECORDS[3]!, timestamp: 'u' }))
  const { differences } = await compare([good, other])
  assert.deepEqual(differences, ['Brokers 1 and 2 differ in partition 0 at offset 3 of 5.'])
})

test('finds a broker that never serves the end', async (t) => {
  const [good, short] = [await serve(t, RECORDS), await serve(t, RECORDS.slice(0, 4))]
  assert.equal((await compare([good, short], 100)).differences.length, 1)
  assert.equal((await compare([short, good], 100)).differences.length, 1)
})

test('compares what is left where the log was trimmed', async (t) => {
  const trimmed = RECORDS.with(0, { ...RECORDS[0]!, timestamp: 'gone' })
  const other = trimmed.with(4, { ...RECORDS[4]!, timestamp: 'u' })
  const urls = [await serve(t, RECORDS), await serve(t, trimmed), await serve(t, other)]
  const { differences } = await compare(urls, 30_000, 1)
  assert.deepEqual(differences, ['Brokers 1 and 3 differ in partition 0 at offset 4 of 5.'])
})
