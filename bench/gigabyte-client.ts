import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import { createInterface } from 'node:readline'
import { WebSocket } from 'ws'

/** What one way of the bytes came to: a hash over all values in order, and how many there were. */
export interface Passage {
  readonly hash: string
  readonly count: number
  readonly bytes: number
}

/** A process of its own, so that its memory is that of one way alone: `gigabyte-client.js WAY TOPIC-URL COUNT VALUE-BYTES`. */
const [way, url = '', countText, bytesText] = process.argv.slice(2)
const count = Number(countText)
const valueBytes = Number(bytesText)
const CREDIT_BYTES = 4 * 1024 * 1024

class Tally {
  readonly #hash = createHash('sha256')
  count = 0
  bytes = 0

  add(value: Uint8Array | string): void {
    this.#hash.update(value)
    this.count++
    this.bytes += value.length
  }

  passage(): Passage {
    return { hash: this.#hash.digest('hex'), count: this.count, bytes: this.bytes }
  }
}

/** Lines go out as fast as the broker takes them, while receipts are read. */
async function ingest(): Promise<Passage> {
  const sending = request(`${url}/ingest`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
  })
  const receipts = readReceipts(sending)
  const tally = new Tally()
  while (tally.count < count) {
    const value = randomBytes(Math.ceil((valueBytes * 3) / 4))
      .toString('base64')
      .slice(0, valueBytes)
    tally.add(value)
    if (!sending.write(`{"text":"${value}"}\n`)) await once(sending, 'drain')
  }
  sending.end()
  await receipts
  return tally.passage()
}

/** Rejects unless each line has the next offset, and the last line says that this was all. */
async function readReceipts(sending: ReturnType<typeof request>): Promise<void> {
  const [answer] = (await once(sending, 'response')) as [IncomingMessage]
  let next = 0
  for await (const line of createInterface({ input: answer })) {
    const receipt = JSON.parse(line) as { offset?: number; end?: boolean; accepted?: number }
    if (receipt.end === true && receipt.accepted === count && next === count) return
    if (receipt.offset !== next) throw new Error(`Line ${next}: ${line}`)
    next++
  }
  throw new Error(`The receipts ended after ${next}.`)
}

/** Lines of records from any source, until there were all of them. */
async function readLines(input: NodeJS.ReadableStream): Promise<Passage> {
  const tally = new Tally()
  for await (const line of createInterface({ input })) {
    tally.add((JSON.parse(line) as { text: string }).text)
    if (tally.count === count) break
  }
  return tally.passage()
}

async function stream(): Promise<Passage> {
  const asking = request(`${url}/stream?from=earliest`)
  asking.end()
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  const passage = await readLines(answer)
  asking.destroy()
  return passage
}

async function webSocket(): Promise<Passage> {
  const address = new URL(url)
  const socket = new WebSocket(`ws://${address.host}/v1/ws`, 'synod.v1.bin')
  const send = (frame: unknown): void => {
    const header = Buffer.from(JSON.stringify(frame))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(header.length)
    socket.send(Buffer.concat([length, header]))
  }
  const tally = new Tally()
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code) => reject(new Error(`Closed with ${code}.`)))
    socket.on('open', () => {
      const topic = address.pathname.split('/').at(-1)
      const credit = { records: 1_000_000_000, bytes: CREDIT_BYTES }
      send({ type: 'subscribe', id: '1', sid: 'a', topic, from: 'earliest', credit })
    })
    socket.on('message', (data: Buffer) => {
      const bytes = addFrame(data, tally)
      if (bytes > 0) send({ type: 'credit', sid: 'a', records: 0, bytes })
      if (tally.count === count) resolve()
    })
  })
  socket.terminate()
  return tally.passage()
}

/** Returns how many bytes of values there were. */
function addFrame(data: Buffer, tally: Tally): number {
  const begin = 4 + data.readUInt32BE(0)
  const frame = JSON.parse(data.toString('utf8', 4, begin)) as {
    type: string
    records?: readonly { size: number }[]
  }
  if (frame.type === 'error') throw new Error(data.toString('utf8', 4, begin))
  let at = begin
  for (const { size } of frame.records ?? []) tally.add(data.subarray(at, (at += size)))
  return at - begin
}

const WAYS: Readonly<Record<string, () => Promise<Passage>>> = {
  ingest,
  stream,
  'ws binary': webSocket,
  /** What `synod topic export` wrote, on standard input. */
  lines: () => readLines(process.stdin),
}

const passage = await WAYS[way ?? '']?.()
console.log(JSON.stringify(passage))
process.exit(0)
