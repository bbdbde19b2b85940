import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { runSynod } from '../cli/run-synod.ts'
import { MAIN, startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { tempDir } from '../support/temp-dir.ts'
import { call, json, topicOf } from './api.ts'

const PARTITIONS = 3
const TIME = '2026-01-31T12:00:00.123Z'

/** What the command prints; it must end with 0. */
async function synod(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runSynod(args)
  assert.equal(code, 0, `${args.join(' ')}: ${err}`)
  return out
}

/** Every kind of record that the API takes. */
async function fill(url: string): Promise<void> {
  const records = [
    { value: 'VALUE', key: 'number' },
    { text: '' },
    { text: 'é\u2028"\\\u0001\n', key: '', headers: { a: ' spaced ', 'x-1': '' } },
    { base64: 'AP8=', timestamp: TIME },
    { base64: 'dGV4dA==' },
    { key: 'gone' },
    { headers: { only: 'this' } },
  ].map((record, index) => ({ partition: index % PARTITIONS, ...record }))
  const body = JSON.stringify({ records }).replace('"VALUE"', '{"n": 12345678901234567890.10, "a":[ ]}')
  const headers = { 'content-type': 'application/json' }
  assert.equal((await call(url, '/v1/topics/from/batches', { method: 'POST', headers, body })).status, 201)
  const singles: [string, RequestInit][] = [
    ['?partition=0&key=k%C3%A9', { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'plain' }],
    [
      '?partition=1',
      { headers: { 'content-type': 'application/json', 'record-header-b': 'c' }, body: '{"a" : 1}' },
    ],
    ['?partition=2', { headers: { 'content-type': 'application/json' }, body: 'no json' }],
    [
      '?partition=0',
      { headers: { 'content-type': 'image/png', 'record-timestamp': TIME }, body: Buffer.from([0, 255]) },
    ],
  ]
  for (const [query, init] of singles)
    assert.equal(
      (await call(url, `/v1/topics/from/records${query}`, { method: 'POST', ...init })).status,
      201,
    )
  const many = Array.from({ length: 900 }, (_, index) => ({
    text: `v${index}`,
    partition: index % PARTITIONS,
  }))
  for (let turn = 0; turn < 4; turn++)
    assert.equal((await call(url, '/v1/topics/from/batches', json('POST', { records: many }))).status, 201)
}

test('what topic export writes, topic import stores again, byte for byte, and once', async (t) => {
  const { url } = (await startDev(t, { brokers: 1 })).broker('1')
  const folder = tempDir(t)
  const [first, second] = [join(folder, 'from.ndjson'), join(folder, 'to.ndjson')]
  for (const name of ['from', 'to']) await synod('topic', 'create', name, '--partitions', '3', '--url', url)
  await fill(url)

  await synod('topic', 'export', 'from', '-o', first, '--url', url)
  const lines = readFileSync(first, 'utf8')
  assert.equal(lines.split('\n').length, 11 + 4 * 900 + 1)
  assert.equal(await synod('topic', 'export', 'from', '--url', url), lines)

  assert.equal(await synod('topic', 'import', 'to', first, '--url', url), 'Stored 3,611 records in to.\n')
  const again = 'Stored 0 records in to; 3,611 records of an earlier run were there.\n'
  assert.equal(await synod('topic', 'import', 'to', first, '--url', url), again)

  await synod('topic', 'export', 'to', '-o', second, '--url', url)
  assert.equal(readFileSync(second, 'utf8').replaceAll('{"topic":"to",', '{"topic":"from",'), lines)
})

/** Runs the command until the check holds, and ends it at once; it may have come to its end before. */
async function killWhen(check: () => void | Promise<void>, ...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: 'ignore' })
  const closed = once(child, 'close')
  await eventually(check, { timeoutMs: 20_000 })
  child.kill('SIGKILL')
  await closed
}

test('an import and an export that are killed are whole after a second run, with nothing twice', async (t) => {
  const { url } = (await startDev(t, { brokers: 1 })).broker('1')
  const folder = tempDir(t)
  const [input, output] = [join(folder, 'input.ndjson'), join(folder, 'output.ndjson')]
  const texts = Array.from({ length: 20_000 }, (_, index) => `value ${index}`)
  const lines = texts.map((text, index) => JSON.stringify({ partition: index % PARTITIONS, text }))
  writeFileSync(input, `${lines.join('\n')}\n`)
  await synod('topic', 'create', 'to', '--partitions', String(PARTITIONS), '--url', url)

  const isBegun = async (): Promise<void> => {
    const { partitions } = await topicOf(url, 'to')
    assert.ok(partitions.some(({ highWatermark }) => highWatermark > 0))
  }
  await killWhen(isBegun, 'topic', 'import', 'to', input, '--url', url)
  await synod('topic', 'import', 'to', input, '--url', url)

  const isNoted = (): void => assert.ok(existsSync(`${output}.progress`) || existsSync(output))
  await killWhen(isNoted, 'topic', 'export', 'to', '-o', output, '--url', url)
  await synod('topic', 'export', 'to', '-o', output, '--resume', '--url', url)
  const stored = readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { partition: number; text: string })
  for (let partition = 0; partition < PARTITIONS; partition++)
    assert.deepEqual(
      stored.filter((record) => record.partition === partition).map(({ text }) => text),
      texts.filter((_, index) => index % PARTITIONS === partition),
    )
  assert.equal(stored.length, texts.length)
})
