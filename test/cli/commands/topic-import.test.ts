import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { importRecords } from '../../../src/cli/commands/topic-import.ts'
import type { ImportOptions } from '../../../src/cli/commands/topic-import.ts'
import { CommandError } from '../../../src/cli/exit-codes.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import type { FakeCluster } from '../fake-cluster.ts'
import { collectOutput } from '../run-command.ts'

/** Knows each producer's next number in each partition, and refuses a gap, as the cluster does. */
function startTopic(t: TestContext, partitionCount: number, failures: number[] = []): Promise<FakeCluster> {
  const next = new Map<string, number>()
  return startFakeCluster(t, ({ url, headers, body }, response) => {
    if (!/\/(batches|records)/.test(url)) {
      const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ partition }))
      return sendJson(response, 200, { name: 'orders', id: 't1', partitions })
    }
    const failure = failures.shift()
    if (failure !== undefined)
      return sendJson(response, failure, { retryable: failure === 503, detail: 'No.' })
    const isBatch = url.includes('/batches')
    const records = isBatch
      ? (JSON.parse(body) as { records: { partition: number }[] }).records
      : [{ partition: Number(/partition=(\d+)/.exec(url)?.[1]) }]
    const place = `${String(headers['producer-id'])} ${records[0]?.partition}`
    const seq = Number(headers['producer-seq'])
    const expectedSeq = next.get(place) ?? 0
    const isKnown = seq + records.length <= expectedSeq
    if (!isKnown && seq !== expectedSeq)
      return sendJson(response, 409, { code: 'sequence-gap', detail: 'A gap.', expectedSeq })
    if (!isKnown) next.set(place, seq + records.length)
    const receipts = records.map(() => ({ duplicate: isKnown }))
    sendJson(response, 201, isBatch ? { results: receipts } : receipts[0])
  })
}

async function run(
  cluster: FakeCluster,
  text: string,
  options: Partial<ImportOptions> = {},
): Promise<readonly string[]> {
  const { output, lines } = collectOutput()
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(Buffer.from(text))
  }
  const input = { input: chunks(), producerId: options.id ?? 'id-1', again: 'Again.', sizeBytes: undefined }
  await importRecords('orders', input, { url: cluster.url, retrySeconds: 5, ...options }, output)
  return lines
}

const LINES = [
  '{"topic":"a","partition":0,"offset":5,"value":1.0}',
  '{"partition":1,"text":"b"}',
  '',
  '{"partition":0,"text":"c","contentType":"text/plain"}',
  '{"partition":0,"key":"d"}',
].join('\n')

describe('synod topic import', () => {
  test('sends each partition in order, a content type by itself, and a repeat stores nothing', async (t) => {
    const cluster = await startTopic(t, 2)
    assert.deepEqual(await run(cluster, LINES), ['Stored 4 records in orders.'])
    const sent = cluster.requests
      .filter(({ method }) => method === 'POST')
      .map(({ url, headers, body }) => [url.split('/').at(-1), headers['producer-seq'], body])
      .sort()
    assert.deepEqual(sent, [
      ['batches', '0', '{"records":[{"text":"b","partition":1}]}'],
      ['batches', '0', '{"records":[{"value":1.0,"partition":0}]}'],
      ['batches', '2', '{"records":[{"key":"d","partition":0}]}'],
      ['records?partition=0', '1', 'c'],
    ])
    assert.deepEqual(await run(cluster, LINES), [
      'Stored 0 records in orders; 4 records of an earlier run were there.',
    ])
  })

  test('goes on behind what an earlier run stored of a longer input', async (t) => {
    const cluster = await startTopic(t, 1)
    await run(cluster, '{"text":"a"}\n{"text":"b"}\n')
    assert.deepEqual(await run(cluster, '{"text":"a"}\n{"text":"b"}\n{"text":"c"}\n'), [
      'Stored 1 record in orders; 2 records of an earlier run were there.',
    ])
    assert.equal(cluster.requests.at(-1)?.body, '{"records":[{"text":"c","partition":0}]}')
  })

  test('tries again while nobody can store it, and names the lines of what is refused', async (t) => {
    assert.deepEqual(await run(await startTopic(t, 1, [503]), '{"text":"a"}'), ['Stored 1 record in orders.'])
    await assert.rejects(
      run(await startTopic(t, 1, [422]), '\n{"text":"a"}\n{"text":"b"}'),
      (error) => error instanceof CommandError && error.message === 'No. (lines between 2 and 3)',
    )
    await assert.rejects(
      run(await startTopic(t, 1, [503]), '{"text":"a"}', { retrySeconds: 0 }),
      (error) => error instanceof CommandError && error.hint === 'Again.',
    )
  })
})
