import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { describe, test } from 'node:test'
import { CommanderError } from 'commander'
import * as command from '../../../src/cli/commands/produce.ts'
import type { ProduceOptions } from '../../../src/cli/commands/produce.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import type { SeenRequest } from '../fake-cluster.ts'
import { collectOutput, runCommand } from '../run-command.ts'

const DEFAULTS = { batch: 1_000, retrySeconds: 30 }

async function produce(text: string, options: Partial<ProduceOptions> & { url: string }): Promise<string[]> {
  const { output, lines } = collectOutput()
  try {
    await command.produce('orders', { ...DEFAULTS, ...options }, Readable.from([Buffer.from(text)]), output)
  } catch (error) {
    if (error instanceof Error) Object.assign(error, { lines })
    throw error
  }
  return lines
}

/** Gives dense offsets in partition 0. */
function storing(): (request: SeenRequest) => { results: { partition: number; offset: number }[] } {
  let next = 0
  return (request) => {
    const { records } = JSON.parse(request.body) as { records: unknown[] }
    return { results: records.map(() => ({ partition: 0, offset: next++ })) }
  }
}

describe('synod produce', () => {
  test('stores JSON lines byte for byte as values and others as text', async (t) => {
    const store = storing()
    const cluster = await startFakeCluster(t, (request, response) => sendJson(response, 201, store(request)))
    const lines = await produce('{"id": 12345678901234567890}\nhello "you"\n', { url: cluster.url, key: 'k' })
    assert.equal(
      cluster.requests[0]?.body,
      '{"records":[{"value":{"id": 12345678901234567890},"key":"k"},{"text":"hello \\"you\\"","key":"k"}]}',
    )
    assert.equal(cluster.requests[0]?.url, '/v1/topics/orders/batches')
    assert.deepEqual(lines, ['Stored 2 records in orders (partition 0: 0 to 1).'])
  })

  test('stores everything as text when asked, and in the partition asked for', async (t) => {
    const store = storing()
    const cluster = await startFakeCluster(t, (request, response) => sendJson(response, 201, store(request)))
    await produce('42\n', { url: cluster.url, text: true, partition: 3 })
    assert.equal(cluster.requests[0]?.body, '{"records":[{"text":"42","partition":3}]}')
  })

  test('sends groups of at most --batch lines in order', async (t) => {
    const store = storing()
    const cluster = await startFakeCluster(t, (request, response) => sendJson(response, 201, store(request)))
    const lines = await produce('a\nb\nc\nd\ne\n', { url: cluster.url, batch: 2, json: true })
    const sent = cluster.requests.map(({ body }) =>
      (JSON.parse(body) as { records: { text: string }[] }).records.map(({ text }) => text),
    )
    assert.deepEqual(sent, [['a', 'b'], ['c', 'd'], ['e']])
    assert.deepEqual(JSON.parse(lines[0] ?? ''), {
      topic: 'orders',
      recordCount: 5,
      partitions: [{ partition: 0, firstOffset: 0, lastOffset: 4 }],
    })
  })

  test('takes keys from a field and names the line that has none', async (t) => {
    const store = storing()
    const cluster = await startFakeCluster(t, (request, response) => sendJson(response, 201, store(request)))
    const input = '{"id":7}\n{"id":"x"}\n{"other":1}\n'
    await assert.rejects(
      produce(input, { url: cluster.url, keyField: 'id', batch: 2 }),
      (error) =>
        error instanceof CommandError &&
        error.message === "Line 3 has no field 'id' with a text or a number for a key." &&
        (error as { lines?: string[] }).lines?.[0] === 'Stored 2 records in orders (partition 0: 0 to 1).',
    )
    assert.equal(
      cluster.requests[0]?.body,
      '{"records":[{"value":{"id":7},"key":"7"},{"value":{"id":"x"},"key":"x"}]}',
    )
  })

  test('tries again with the same idempotency key when there is no leader, no answer or no outcome', async (t) => {
    const store = storing()
    let tries = 0
    const cluster = await startFakeCluster(t, (request, response) => {
      tries++
      if (tries === 1) sendJson(response, 503, { code: 'no-leader', retryable: true, sideEffects: 'none' })
      else if (tries === 2) response.destroy()
      else if (tries === 3)
        sendJson(response, 504, { code: 'outcome-unknown', retryable: false, sideEffects: 'possible' })
      else sendJson(response, 201, store(request))
    })
    await produce('a\n', { url: cluster.url })
    const keys = new Set(cluster.requests.map(({ headers }) => headers['idempotency-key']))
    assert.equal(cluster.requests.length, 4)
    assert.equal(keys.size, 1)
    assert.ok(!keys.has(undefined))
  })

  test('gives up after --retry-seconds, and at once when trying again cannot help', async (t) => {
    let problem = { code: 'no-quorum', detail: 'There is no quorum.', retryable: true, sideEffects: 'none' }
    const cluster = await startFakeCluster(t, (_, response) => sendJson(response, 503, problem))
    const ends = (exitCode: number) => (error: unknown) =>
      error instanceof CommandError && error.exitCode === exitCode
    await assert.rejects(produce('a\n', { url: cluster.url, retrySeconds: 0 }), ends(EXIT.tryAgain))
    problem = { code: 'topic-closed', detail: 'The topic is closed.', retryable: false, sideEffects: 'none' }
    await assert.rejects(produce('a\n', { url: cluster.url }), ends(EXIT.refused))
    assert.equal(cluster.requests.length, 2)
  })

  test('refuses a batch size out of bounds', async () => {
    await assert.rejects(runCommand(command, 'produce', 'orders', '--batch', '1001'), CommandError)
    await assert.rejects(runCommand(command, 'produce', 'orders', '--batch', '0'), CommandError)
    await assert.rejects(runCommand(command, 'produce', 'orders', '--batch', 'x'), CommanderError)
  })
})
