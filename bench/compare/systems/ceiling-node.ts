/**
 * One of three processes that do what a produce needs and nothing else: FOLDER PORT [FOLLOWER FOLLOWER]. The one with followers
 * takes POSTs, writes all that wait as one synced LevelDB value, sends it to both over one streamed request each, and answers
 * when it is on two disks. No ballots, no recovery, no topics: what it reaches, a broker can at most reach.
 */
import { ClassicLevel } from 'classic-level'
import { createServer, request, type ClientRequest, type IncomingMessage } from 'node:http'
import { once } from 'node:events'

const LENGTH_BYTES = 4
const NUMBER_BYTES = 8

const [folder, port, ...followers] = process.argv.slice(2) as [string, string, ...string[]]
const database = new ClassicLevel<Buffer, Buffer>(folder, {
  keyEncoding: 'buffer',
  valueEncoding: 'buffer',
  compression: false,
  writeBufferSize: 16 * 1024 * 1024,
})
await database.open()

/** Calls `take` for each piece that follows its length. */
function takeFrames(stream: IncomingMessage, take: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0)
  stream.on('data', (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    let at = 0
    while (rest.length - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + rest.readUInt32BE(at)
      if (end > rest.length) break
      take(rest.subarray(at + LENGTH_BYTES, end))
      at = end
    }
    rest = rest.subarray(at)
  })
}

function follow(): void {
  const server = createServer((incoming, answer) => {
    incoming.socket.setNoDelay(true)
    answer.flushHeaders()
    let waiting: Buffer[] = []
    let isWriting = false
    const write = async (): Promise<void> => {
      isWriting = true
      while (waiting.length > 0) {
        const frames = waiting
        waiting = []
        const puts = frames.map(
          (value) => ({ type: 'put', key: value.subarray(0, NUMBER_BYTES), value }) as const,
        )
        await database.batch(puts, { sync: true })
        const stored = Buffer.alloc(LENGTH_BYTES + NUMBER_BYTES)
        stored.writeUInt32BE(NUMBER_BYTES)
        frames.at(-1)!.copy(stored, LENGTH_BYTES, 0, NUMBER_BYTES)
        answer.write(stored)
      }
      isWriting = false
    }
    takeFrames(incoming, (frame) => {
      waiting.push(frame)
      if (!isWriting) void write()
    })
  })
  // One request lasts as long as the bench.
  server.requestTimeout = 0
  server.listen(Number(port), '127.0.0.1')
}

interface Waiting {
  readonly value: Buffer
  readonly answer: (offset: number) => void
}

async function lead(): Promise<void> {
  const lanes: ClientRequest[] = []
  const stored = [0, 0, 0]
  const answers = new Map<number, readonly Waiting[]>()
  let [waiting, isWriting, last, chosen, offset] = [[] as Waiting[], false, 0, 0, 0]

  const advance = (): void => {
    const reached = [...stored].sort((a, b) => b - a)[1]!
    while (chosen < reached) {
      chosen++
      for (const { answer } of answers.get(chosen) ?? []) answer(offset++)
      answers.delete(chosen)
    }
  }
  for (const [place, follower] of followers.entries()) {
    const lane = request({ host: '127.0.0.1', port: follower, method: 'POST' })
    lane.flushHeaders()
    const [response] = (await once(lane, 'response')) as [IncomingMessage]
    lane.socket?.setNoDelay(true)
    takeFrames(response, (frame) => {
      stored[place + 1] = Number(frame.readBigUInt64BE())
      advance()
    })
    lanes.push(lane)
  }
  const write = async (): Promise<void> => {
    isWriting = true
    // What this turn of the event loop brings goes together.
    await new Promise(setImmediate)
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const number = ++last
      answers.set(number, batch)
      const frame = frameOf(number, batch)
      for (const lane of lanes) lane.write(frame)
      const value = frame.subarray(LENGTH_BYTES)
      await database.batch([{ type: 'put', key: value.subarray(0, NUMBER_BYTES), value }], { sync: true })
      stored[0] = number
      advance()
    }
    isWriting = false
  }
  const server = createServer((incoming, response) => {
    const pieces: Buffer[] = []
    incoming.on('data', (piece: Buffer) => pieces.push(piece))
    incoming.on('end', () => {
      const answer = (at: number): void => {
        const text = `{"topic":"t","partition":0,"offset":${at}}`
        response
          .writeHead(201, { 'content-type': 'application/json', 'content-length': text.length })
          .end(text)
      }
      waiting.push({ value: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces), answer })
      if (!isWriting) void write()
    })
  })
  server.listen(Number(port), '127.0.0.1')
}

/** Length, number, and each value behind its length. */
function frameOf(number: number, batch: readonly Waiting[]): Buffer {
  const bytes = batch.reduce((sum, { value }) => sum + LENGTH_BYTES + value.length, NUMBER_BYTES)
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + bytes)
  frame.writeUInt32BE(bytes)
  frame.writeBigUInt64BE(BigInt(number), LENGTH_BYTES)
  let at = LENGTH_BYTES + NUMBER_BYTES
  for (const { value } of batch) {
    frame.writeUInt32BE(value.length, at)
    at += LENGTH_BYTES + value.copy(frame, at + LENGTH_BYTES)
  }
  return frame
}

process.once('SIGTERM', () => process.exit())
if (followers.length === 0) follow()
else await lead()
