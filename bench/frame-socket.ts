import { connect, type Socket } from 'node:net'

const TEXT = 1
const CLOSE = 8
const PING = 9
/** A pong of the client; a mask of zeros leaves the payload as it is. */
const PONG = 0x8a
const MASKED = 0x80

/**
 * One WebSocket of a load: it only finds the ends of frames, so that the load costs far less than what it measures. The
 * server's frames are not masked; values are expected in text frames.
 */
export class FrameSocket {
  readonly #socket: Socket
  readonly #onText: (payload: Buffer) => void
  #pending: Buffer = Buffer.alloc(0)
  #isOpen = false
  isClosed = false
  closeCode: number | undefined
  readonly opened: Promise<void>

  constructor(url: string, localAddress: string | undefined, onText: (payload: Buffer) => void) {
    const { hostname, port, pathname, search } = new URL(url)
    this.#onText = onText
    this.#socket = connect({ host: hostname, port: Number(port), localAddress, noDelay: true })
    this.#socket.write(
      `GET ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
        'sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
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
    for (;;) {
      const frame = frameAt(this.#pending, at)
      if (frame === undefined) break
      this.#frame(frame.opcode, this.#pending.subarray(frame.begin, frame.end))
      at = frame.end
    }
    this.#pending = this.#pending.subarray(at)
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === TEXT) return this.#onText(payload)
    if (opcode === PING)
      this.#socket.write(Buffer.concat([Buffer.from([PONG, MASKED | payload.length, 0, 0, 0, 0]), payload]))
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
