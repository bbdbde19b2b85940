import { FrameSocket } from './frame-socket.ts'

/** Delays in tenths of a millisecond; what takes longer than ten seconds counts as ten. */
export const DELAY_BUCKETS = 100_000

/** What a value begins with: its number, and when it was sent by the clock of this machine in milliseconds. */
export function numberedValue(number: number, bytes: number): string {
  return `${number} ${(performance.timeOrigin + performance.now()).toFixed(1)} `.padEnd(bytes, 'x')
}

/** One subscriber that reads how each value begins. */
export class SubscriberSocket extends FrameSocket {
  readonly #delays: () => Uint32Array
  /** The number of the next value, undefined before the first. */
  next: number | undefined
  /** Values that were left out or came twice. */
  faultCount = 0

  constructor(url: string, localAddress: string, delays: () => Uint32Array) {
    super(url, localAddress, (payload) => this.#value(payload.toString('latin1', 0, 40)))
    this.#delays = delays
  }

  #value(text: string): void {
    const [number, sentAt] = text.split(' ', 2).map(Number) as [number, number]
    if (this.next !== undefined && number !== this.next) this.faultCount++
    this.next = number + 1
    const delayMs = performance.timeOrigin + performance.now() - sentAt
    const delays = this.#delays()
    delays[Math.min(DELAY_BUCKETS - 1, Math.max(0, Math.round(delayMs * 10)))]!++
  }
}
