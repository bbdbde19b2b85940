import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { INGEST_RECORDS_MAX } from '../../../../src/gateway/http/ingest/ingest.ts'
import { eventually } from '../../../support/eventually.ts'
import { openGateway } from '../../support/open-gateway.ts'
import { openIngest, type IngestLine } from '../../support/open-ingest.ts'

/** What node reads of a socket at once. */
const CHUNK_BYTES = 64 * 1024
const RECORDS = 20_000
const LINE = `${JSON.stringify({ text: 'x'.repeat(100) })}\n`

function gate(): { readonly held: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined
  const held = new Promise<void>((resolve) => (open = resolve))
  return { held, open }
}

test('while the log is slow the body stays with the client: one window is held, and nothing is lost', async (t) => {
  const ingestWindowBytesMax = 100_000
  const { gateway, url, ports } = await openGateway(t, { ingestWindowBytesMax })
  ports.topics.add('t')
  const { held, open } = gate()
  let heldMax = 0
  ports.log.beforeAppend = () => {
    heldMax = Math.max(heldMax, gateway.inFlightBytes)
    return held
  }
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  // More than the sockets between take by themselves.
  const recordCount = 120_000
  ingest.send(LINE.repeat(recordCount))
  await eventually(() => assert.ok(gateway.inFlightBytes >= ingestWindowBytesMax))
  assert.ok(ingest.request.writableLength > 0, 'The client still has most of it.')
  open()
  ingest.end()
  assert.deepEqual((await ingest.all).at(-1), { end: true, accepted: recordCount })
  assert.ok(heldMax <= ingestWindowBytesMax + CHUNK_BYTES, `${heldMax} bytes were held.`)
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
})

test('short lines count, too: no more of them wait for receipts than one ingest may have', async (t) => {
  const { gateway, url, ports } = await openGateway(t)
  ports.topics.add('t')
  const { held, open } = gate()
  ports.log.beforeAppend = () => held
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send('{}\n'.repeat(INGEST_RECORDS_MAX * 5))
  ingest.end()
  await eventually(() => assert.ok(gateway.inFlightBytes >= INGEST_RECORDS_MAX * 3))
  assert.ok(gateway.inFlightBytes <= INGEST_RECORDS_MAX * 3 + CHUNK_BYTES)
  open()
  assert.deepEqual((await ingest.all).at(-1), { end: true, accepted: INGEST_RECORDS_MAX * 5 })
})

test('a client that does not read its receipts is not read from, and gets them all when it does', async (t) => {
  const { gateway, url, ports } = await openGateway(t)
  const topic = ports.topics.add('t')
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`, { isPaused: true })
  const state = ports.log.partition(topic, 0)
  ingest.send('{}\n'.repeat(100_000))
  ingest.end()
  const receiptBytes = 110
  await eventually(() => assert.ok(state.highWatermark * receiptBytes > 1024 * 1024))
  await eventually(() => {
    // Sockets hold some megabytes by themselves; what is beyond them must not be in this process.
    assert.ok(gateway.inFlightBytes <= 1024 * 1024 + CHUNK_BYTES)
  })
  let last = ''
  ingest.response.on('data', (chunk: Buffer) => (last = (last + chunk.toString()).slice(-1_000)))
  await ingest.all
  assert.deepEqual(JSON.parse(last.trim().split('\n').at(-1)!), { end: true, accepted: 100_000 })
})

test('all ingests share one budget: who finds it full waits until others are answered', async (t) => {
  const ingestBytesMax = 2 * CHUNK_BYTES
  const { gateway, url, ports } = await openGateway(t, { ingestBytesMax })
  for (const name of ['a', 'b', 'c']) ports.topics.add(name)
  const { held, open } = gate()
  ports.log.beforeAppend = ({ topic }) => (topic.name === 'c' ? undefined : held)
  const ingests = await Promise.all(
    ['a', 'b', 'c'].map((name) => openIngest(t, `${url}/v1/topics/${name}/ingest`)),
  )
  for (const ingest of ingests.slice(0, 2)) ingest.send(LINE.repeat(10_000))
  await eventually(() => assert.ok(gateway.inFlightBytes > CHUNK_BYTES))
  ingests[2]!.send(LINE.repeat(10_000))
  assert.ok(gateway.inFlightBytes <= ingestBytesMax)
  open()
  for (const ingest of ingests) ingest.end()
  for (const ingest of ingests) assert.deepEqual((await ingest.all).at(-1), { end: true, accepted: 10_000 })
  await eventually(() => assert.equal(gateway.inFlightBytes, 0))
})

test('a line that does not end in time, or finds no room in time, ends the ingest', async (t) => {
  const codes: [Parameters<typeof openGateway>[1], string][] = [
    [{ bodyTimeoutMs: 50 }, 'request-timeout'],
    [{ bodyTimeoutMs: 50, ingestBytesMax: 10 }, 'overloaded'],
  ]
  for (const [options, code] of codes) {
    const { gateway, url, ports } = await openGateway(t, { ...options, lingerMs: 20 })
    ports.topics.add('t')
    const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
    ingest.send('{"text":"half a line')
    const problem = (await ingest.all).at(-1)?.problem
    assert.deepEqual([problem?.code, problem?.accepted, problem?.sideEffects], [code, 0, 'none'])
    assert.equal(gateway.inFlightBytes, 0)
  }
})

test('a line larger than the window is taken', async (t) => {
  const { url, ports } = await openGateway(t, { ingestWindowBytesMax: 10 })
  ports.topics.add('t')
  const ingest = await openIngest(t, `${url}/v1/topics/t/ingest`)
  ingest.send(`${JSON.stringify({ text: 'x'.repeat(500_000) })}\n${LINE}`)
  ingest.end()
  assert.deepEqual((await ingest.all).at(-1), { end: true, accepted: 2 })
})

test('an ingest without a body ends at once', async (t) => {
  const { call, ports } = await openGateway(t)
  ports.topics.add('t')
  const answer = await call('POST', '/v1/topics/t/ingest')
  assert.deepEqual([answer.status, answer.text], [200, '{"end":true,"accepted":0}\n'])
})

interface Curl {
  readonly lines: IngestLine[]
  readonly write: (text: string) => void
  readonly end: () => void
  readonly code: Promise<number | null>
}

function curl(args: readonly string[]): Curl {
  const child = spawn('curl', ['-sS', '--no-progress-meter', ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: IngestLine[] = []
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = `${text}${chunk.toString()}`.split('\n')
    text = parts.pop() ?? ''
    for (const part of parts) lines.push(JSON.parse(part) as IngestLine)
  })
  child.stdin.on('error', () => undefined)
  return {
    lines,
    write: (part) => void child.stdin.write(part),
    end: () => void child.stdin.end(),
    code: new Promise((resolve, reject) => child.once('close', resolve).once('error', reject)),
  }
}

test('curl sends line after line and shows receipt after receipt, or a whole file', async (t) => {
  const { url, ports } = await openGateway(t, { lingerMs: 20 })
  ports.topics.add('t')
  const address = `${url}/v1/topics/t/ingest`
  // With `-` curl reads nothing while it waits for its own input; with `.` it does.
  const live = curl(['-N', '-X', 'POST', '-T', '.', address])
  for (let count = 1; count <= 3; count++) {
    live.write(LINE)
    await eventually(() => assert.equal(live.lines.length, count))
  }
  live.end()
  assert.equal(await live.code, 0)
  assert.deepEqual(live.lines.at(-1), { end: true, accepted: 3 })
  const piped = curl(['-N', '-X', 'POST', '-T', '-', address])
  piped.write(LINE.repeat(RECORDS))
  piped.end()
  assert.equal(await piped.code, 0)
  assert.deepEqual(piped.lines.at(-1), { end: true, accepted: RECORDS })
  const folder = await mkdtemp(join(tmpdir(), 'synod-ingest-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'records.ndjson')
  await writeFile(file, LINE.repeat(RECORDS))
  const whole = curl(['-N', '--data-binary', `@${file}`, address])
  assert.equal(await whole.code, 0)
  assert.deepEqual(whole.lines.at(-1), { end: true, accepted: RECORDS })
  const bad = curl(['-N', '-X', 'POST', '-T', '.', address])
  bad.write(`${LINE}{\n`)
  await eventually(() => assert.equal(bad.lines.at(-1)?.problem?.line, 2))
  bad.end()
  await bad.code
})
