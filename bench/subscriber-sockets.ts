import { connect, type Socket } from 'node:net'

/** Delays in tenths of a millisecond; what takes longer than ten seconds counts as ten. */
export const DELAY_BUCKETS = 100_000

/** What a value begins with: its number, and when it was sent by the clock of this machine in milliseconds. */
export function numberedValue(number: number, bytes: number): string {
  return `${number} ${(performance.timeOrigin + performance.now()).toFixed(1)} `.padEnd(bytes, 'x')
}

/**
 * One WebSocket of a load: it only finds the ends of frames and reads how a value begins, so that the load costs far less
 * than what it measures. The server's frames are not masked; values are expected in text frames.
 */
export class SubscriberSocket {
  readonly #socket: Socket
  readonly #delays: () => Uint32Array
  #pending: Buffer = Buffer.alloc(0)
  #isOpen = false
  /** The number of the next value, undefined before the first. */
  next: number | undefined
  /** Values that were left out or came twice. */
  faultCount = 0
  receivedCount = 0
  isClosed = false
  closedAtMs = 0
  closeCode: number | undefined
  readonly opened: Promise<void>

  constructor(url: string, localAddress: string, delays: () => Uint32Array) {
    const { hostname, port, pathname, search } = new URL(url)
    this.#delays = delays
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
        this.closedAtMs = performance.now()
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
    if (opcode === 1) return this.#value(payload.toString('latin1', 0, 40))
    // A mask of zeros leaves the payload as it is.
    if (opcode === 9)
      this.#socket.write(Buffer.concat([Buffer.from([0x8a, 0x80 | payload.length, 0, 0, 0, 0]), payload]))
    if (opcode === 8 && payload.length >= 2) this.closeCode = payload.readUInt16BE(0)
  }

  #value(text: string): void {
    const [number, sentAt] = text.split(' ', 2).map(Number) as [number, number]
    if (this.next !== undefined && number !== this.next) this.faultCount++
    this.next = number + 1
    this.receivedCount++
    const delayMs = performance.timeOrigin + performance.now() - sentAt
    const delays = this.#delays()
    delays[Math.min(DELAY_BUCKETS - 1, Math.max(0, Math.round(delayMs * 10)))]!++
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
