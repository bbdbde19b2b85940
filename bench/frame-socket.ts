import { connect, type Socket } from 'node:net'

const TEXT = 1
const BINARY = 2
const CLOSE = 8
const PING = 9
const PONG = 10
const LAST_FRAME = 0x80
const MASKED = 0x80
const LENGTH_IN_16_BITS = 126
const LENGTH_IN_64_BITS = 127
/** Not zero, for whoever takes that for no mask has less to do. */
const MASK = Buffer.from([0x5a, 0xc3, 0x3c, 0xa5])

/** A frame as a client sends it: masked, as a server has to undo it. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < LENGTH_IN_16_BITS ? 2 : length <= 0xffff ? 4 : 10)
  head[0] = LAST_FRAME | opcode
  head[1] = MASKED | (head.length === 2 ? length : head.length === 4 ? LENGTH_IN_16_BITS : LENGTH_IN_64_BITS)
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, MASK, payload.map((byte, at) => byte ^ MASK[at % MASK.length]!)])
}

/** A binary message of a client, to be sent again and again. */
export function clientMessage(payload: Buffer): Buffer {
  return clientFrame(BINARY, payload)
}

/**
 * One WebSocket of a load: it only finds the ends of frames, so that the load costs far less than what it measures. The
 * server's frames are not masked.
 */
export class FrameSocket {
  readonly #socket: Socket
  readonly #onPayload: (payload: Buffer) => void
  #pending: Buffer = Buffer.alloc(0)
  #isOpen = false
  isClosed = false
  closeCode: number | undefined
  readonly opened: Promise<void>

  constructor(
    url: string,
    localAddress: string | undefined,
    onPayload: (payload: Buffer) => void,
    subprotocol?: string,
  ) {
    const { hostname, port, pathname, search } = new URL(url)
    this.#onPayload = onPayload
    this.#socket = connect({ host: hostname, port: Number(port), localAddress, noDelay: true })
    this.#socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n' +
        `${subprotocol === undefined ? '' : `sec-websocket-protocol: ${subprotocol}\r\n`}\r\n`,
    )
    this.opened = new Promise((resolve, reject) => {
      this.#socket.on('data', (data: Buffer) => this.#take(data, resolve, reject))
      this.#socket.on('error', reject)
      this.#socket.on('close', () => {
        this.isClosed = true
        reject(new Error('The socket was closed before it was open.'))
      })
    })
  }

  /** Whole frames, as `clientMessage` makes them. */
  write(frames: Buffer): void {
    this.#socket.write(frames)
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  end(): void {
    this.#socket.destroy()
  }

  #take(data: Buffer, resolve: () => void, reject: (error: Error) => void): void {
    this.#pending = this.#pending.length === 0 ? data : Buffer.concat([this.#pending, data])
    if (!this.#isOpen) {
      const end = this.#pending.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!this.#pending.toString('latin1', 0, 12).endsWith(' 101'))
        return reject(new Error(`The handshake was refused: ${this.#pending.toString('utf8')}`))
      this.#pending = this.#pending.subarray(end + 4)
      this.#isOpen = true
      resolve()
    }
    let at = 0
    // What is said to frames that came together leaves together.
    this.#socket.cork()
    for (;;) {
      const frame = frameAt(this.#pending, at)
      if (frame === undefined) break
      this.#frame(frame.opcode, this.#pending.subarray(frame.begin, frame.end))
      at = frame.end
    }
    this.#socket.uncork()
    this.#pending = this.#pending.subarray(at)
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === TEXT || opcode === BINARY) return this.#onPayload(payload)
    if (opcode === PING) this.#socket.write(clientFrame(PONG, payload))
    if (opcode === CLOSE && payload.length >= 2) this.closeCode = payload.readUInt16BE(0)
  }
}

function frameAt(bytes: Buffer, at: number): { opcode: number; begin: number; end: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const short = bytes[at + 1]! & 0x7f
  const begin = at + (short === 127 ? 10 : short === 126 ? 4 : 2)
  if (bytes.length < begin) return undefined
  const length =
    short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short === 126 ? bytes.readUInt16BE(at + 2) : short
  const end = begin + length
  return bytes.length < end ? undefined : { opcode: bytes[at]! & 0x0f, begin, end }
}
