import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import fc from 'fast-check'
import { problemSchema } from '../../src/gateway/http/schemas.ts'
import { startSubscribeServer } from '../gateway/ws/subscribe-server.ts'
import { eventually } from '../support/eventually.ts'
import { ByteSource } from './byte-source.ts'
import { asTestContext, type FuzzTarget } from './target.ts'

const HANDSHAKE =
  'GET /v1/topics/t/subscribe?from=earliest HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'
const OPCODES = [0x0, 0x1, 0x2, 0x3, 0x7, 0x8, 0x9, 0xa, 0xb, 0xf]
const LENGTHS = [0, 1, 2, 125, 126, 200, 65_535, 65_536, 70_000]
/** Codes that may stand in a close frame (RFC 6455 section 7.4). */
const isCloseCode = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999)

/** Each subscriber reads them all. */
const RECORDS_MAX = 100

interface Frame {
  readonly opcode: number
  readonly payload: Buffer
}

/** What the server sent, which has to be whole and unmasked frames up to the last, which may be cut by the end. */
function serverFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at + 2 <= bytes.length;) {
    const [first, second] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)]
    assert.equal(first & 0x70, 0, 'No extension was agreed on.')
    assert.ok((first & 0x80) !== 0, 'The server sends whole messages.')
    assert.equal(second & 0x80, 0, 'The server masks nothing.')
    const short = second & 0x7f
    const header = short === 127 ? 10 : short === 126 ? 4 : 2
    if (at + header > bytes.length) return frames
    const length =
      short === 127
        ? Number(bytes.readBigUInt64BE(at + 2))
        : short === 126
          ? bytes.readUInt16BE(at + 2)
          : short
    const end = at + header + length
    if (end > bytes.length) return frames
    frames.push({ opcode: first & 0x0f, payload: bytes.subarray(at + header, end) })
    at = end
  }
  return frames
}

function checkServerFrames(bytes: Buffer): void {
  const offsets: number[] = []
  for (const { opcode, payload } of serverFrames(bytes)) {
    assert.ok([0x1, 0x8, 0x9, 0xa].includes(opcode), `The server sends no frame of type ${opcode}.`)
    if (opcode >= 0x8) assert.ok(payload.length <= 125, 'A control frame is short.')
    if (opcode === 0x8 && payload.length > 0) assert.ok(isCloseCode(payload.readUInt16BE(0)))
    if (opcode !== 0x1) continue
    const record = JSON.parse(payload.toString('utf8')) as { offset?: number; problem?: unknown }
    if (record.problem !== undefined) problemSchema.parse(record.problem)
    else offsets.push(record.offset ?? -1)
  }
  assert.deepEqual(offsets, [...offsets.keys()], 'Records come in order, without gap, from the earliest.')
}

/** Frames of a client that means well, badly or nothing at all. */
function drawClientBytes(source: ByteSource): Buffer {
  const { random } = source
  if (random.chance(0.1)) return source.bytes(source.length(5_000))
  const frames = Array.from({ length: 1 + random.integer(6) }, () => clientFrame(source))
  const bytes = Buffer.concat(frames)
  return random.chance(0.4) ? source.spoil(bytes) : bytes
}

function clientFrame(source: ByteSource): Buffer {
  const { random } = source
  const isOrdinary = random.chance(0.6)
  const opcode = isOrdinary ? random.pick([0x1, 0x9, 0xa]) : random.pick(OPCODES)
  const length = isOrdinary ? random.integer(100) : random.pick(LENGTHS)
  const isMasked = random.chance(0.95)
  const announced = random.chance(0.03) ? 2 ** 40 : length
  const first = (random.chance(0.8) ? 0x80 : 0) | (random.chance(0.03) ? 0x40 : 0) | opcode
  const mask = isMasked ? 0x80 : 0
  const header =
    announced > 0xffff
      ? Buffer.from([first, mask | 127, 0, 0, 0, 0, 0, 0, 0, 0])
      : announced > 125
        ? Buffer.from([first, mask | 126, announced >> 8, announced & 0xff])
        : Buffer.from([first, mask | announced])
  if (announced > 0xffff) header.writeBigUInt64BE(BigInt(announced), 2)
  return Buffer.concat([header, isMasked ? source.bytes(4) : Buffer.alloc(0), source.bytes(length)])
}

interface Spoken {
  readonly answer: string
  readonly frames: Buffer
}

/** Opens a connection, says it all, and reads until the server hangs up. */
async function speak(port: number, pieces: readonly Buffer[]): Promise<Spoken> {
  const socket: Socket = connect(port, '127.0.0.1')
  const parts: Buffer[] = []
  socket.on('error', () => undefined)
  socket.on('data', (part: Buffer) => parts.push(part))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  await once(socket, 'connect')
  for (const piece of pieces) socket.write(piece)
  socket.end()
  await closed
  const bytes = Buffer.concat(parts)
  const end = bytes.indexOf('\r\n\r\n')
  const split = end < 0 ? bytes.length : end + 4
  return { answer: bytes.toString('latin1', 0, split), frames: bytes.subarray(split) }
}

/** Clients that do not keep the protocol: each gets legal frames until it is hung up on, and nobody else notices. */
export const webSocketTarget: FuzzTarget = {
  name: 'WebSocket handshakes and frames with changed bytes',
  boundedCases: 400,
  async run({ cases, seed, scope }) {
    const server = await startSubscribeServer(asTestContext(scope))
    const topic = server.ports.topics.add('t')
    const quiet = await server.subscribe('t/subscribe?from=earliest')
    let putCount = 0
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.nat()), async (draw) => {
        const source = new ByteSource(draw)
        if (putCount < RECORDS_MAX) server.ports.log.put(topic, 0, [{ value: `record ${putCount++}` }])
        const isHandshakeOdd = source.random.chance(0.2)
        const handshake = Buffer.from(HANDSHAKE)
        const head = isHandshakeOdd ? source.spoil(handshake) : handshake
        const { answer, frames } = await speak(server.port, [head, ...source.pieces(drawClientBytes(source))])
        assert.match(answer, /^(?:HTTP\/1\.1 (?:101|4\d\d) |$)/)
        if (!isHandshakeOdd) assert.match(answer, /^HTTP\/1\.1 101 /)
        if (answer.startsWith('HTTP/1.1 101')) checkServerFrames(frames)
        assert.deepEqual(server.errors, [])
        // The fake remembers every read, and each of them its subscriber.
        server.ports.log.reads.length = 0
      }),
      { numRuns: cases, seed },
    )
    await eventually(() => assert.equal(server.upgrade.count, 1, 'Only the quiet subscriber is left.'))
    await eventually(() => assert.equal(quiet.frames.length, putCount))
    assert.deepEqual(
      quiet.records().map(({ offset }) => offset),
      [...Array(putCount).keys()],
    )
    quiet.socket.terminate()
  },
}
