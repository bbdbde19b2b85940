import { isProblem, SynodProblem } from './problem.ts'
import type { SynodRecord } from './records.ts'

/** What is used of a WebSocket: browsers', Node's own, and that of `ws` fit. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  close(code?: number): void
}

export type WebSocketConstructor = new (url: string) => WebSocketLike

/** Only `ws` has these; with others a reader that is far behind its socket drops it and subscribes again later. */
interface Pausable {
  pause(): void
  resume(): void
  terminate(): void
}

const PAUSE_RECORDS = 2_000
const DROP_RECORDS_MAX = 20_000

/** Codes with which a broker ends a subscription for good: 4500 to 4599. */
function isFinal(code: number): boolean {
  return code >= 4_500 && code <= 4_599
}

export type SocketEnd =
  | { readonly kind: 'never-open' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'final'; readonly error: Error }

/** One WebSocket and the records that came over it and are not taken yet. */
export class RecordSocket {
  readonly #socket: WebSocketLike
  #frames: (readonly SynodRecord[])[] = []
  #waitingCount = 0
  #wasOpen = false
  #isPaused = false
  #problem: SynodProblem | undefined
  #end: SocketEnd | undefined
  #wake: (() => void) | undefined

  constructor(url: string, WebSocket: WebSocketConstructor, onOpen: () => void) {
    this.#socket = new WebSocket(url)
    this.#socket.onopen = () => {
      this.#wasOpen = true
      onOpen()
    }
    this.#socket.onmessage = (event: { readonly data: unknown }) => this.#take(event.data)
    this.#socket.onclose = (event: { readonly code: number; readonly reason?: string }) =>
      this.#close(event.code, event.reason ?? '')
    // A close follows, which tells all that is known.
    this.#socket.onerror = () => undefined
  }

  /** The records of the next frame; undefined when it took longer. Records that came before the end come first. */
  async next(timeoutMs: number): Promise<readonly SynodRecord[] | SocketEnd | undefined> {
    if (this.#frames.length === 0 && this.#end === undefined) {
      let timer: ReturnType<typeof setTimeout> | undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, timeoutMs)
      })
      clearTimeout(timer)
      this.#wake = undefined
    }
    const frame = this.#frames.shift()
    if (frame === undefined) return this.#end
    this.#waitingCount -= frame.length
    if (this.#isPaused && this.#waitingCount < PAUSE_RECORDS / 2) this.#resume()
    return frame
  }

  /** Ends the waiting of `next` and the connection. */
  drop(): void {
    this.#end ??= { kind: 'broken' }
    this.#socket.onmessage = null
    this.#wake?.()
    if (isPausable(this.#socket)) this.#socket.terminate()
    else this.#socket.close()
  }

  #take(data: unknown): void {
    if (this.#end !== undefined) return
    const frame = parse(data)
    if (frame === undefined) return this.drop()
    if (frame instanceof SynodProblem) {
      this.#problem = frame
      return
    }
    this.#frames.push(frame)
    this.#waitingCount += frame.length
    if (this.#waitingCount > PAUSE_RECORDS) this.#holdBack()
    this.#wake?.()
  }

  /** Browsers take frames whether anybody wants them or not; what is not kept now is read again from the brokers. */
  #holdBack(): void {
    if (isPausable(this.#socket)) {
      if (this.#isPaused) return
      this.#isPaused = true
      this.#socket.pause()
    } else if (this.#waitingCount > DROP_RECORDS_MAX) {
      this.drop()
    }
  }

  #resume(): void {
    this.#isPaused = false
    if (this.#end === undefined && isPausable(this.#socket)) this.#socket.resume()
  }

  #close(code: number, reason: string): void {
    if (isFinal(code)) {
      const error = this.#problem ?? new Error(`The broker ended the subscription with ${code} ${reason}.`)
      this.#end ??= { kind: 'final', error }
    }
    this.#end ??= { kind: this.#wasOpen ? 'broken' : 'never-open' }
    this.#wake?.()
  }
}

function isPausable(socket: object): socket is Pausable {
  return 'pause' in socket && typeof socket.pause === 'function' && 'terminate' in socket
}

/** A frame is an array of records, or an object with the problem that ends the subscription. */
function parse(data: unknown): readonly SynodRecord[] | SynodProblem | undefined {
  if (typeof data !== 'string') return undefined
  try {
    const frame = JSON.parse(data) as unknown
    if (Array.isArray(frame)) return frame as readonly SynodRecord[]
    if (typeof frame === 'object' && frame !== null && 'problem' in frame && isProblem(frame.problem)) {
      return new SynodProblem(frame.problem)
    }
  } catch {
    // Broken JSON is as bad as any other frame that is not known.
  }
  return undefined
}
