import { decodeFrame, encodeFrame, SUBPROTOCOL, type ClientFrame, type Credit, type ServerFrame } from './frames.ts'
import { SynodProblem } from './problem.ts'

/** What is used of a WebSocket: browsers', Node's own, and that of `ws` fit. */
export interface WebSocketLike {
  /** 'arraybuffer' is set. */
  binaryType: string
  onopen: ((event: never) => void) | null
  onmessage: ((event: never) => void) | null
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number): void
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike

export type RecordsFrame = Extract<ServerFrame, { type: 'records' }>

/** How a session ended, or that its topic was not found or its place was trimmed. */
export type SessionEnd =
  | { readonly kind: 'never-open' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'failed'; readonly error: Error }

export interface SessionOptions {
  readonly url: string
  readonly WebSocket: WebSocketConstructor
  readonly topic: string
  readonly partitions?: readonly number[]
  readonly start: { readonly from: string } | { readonly cursor: string }
  readonly credit: Credit
  /** The start is fixed. */
  readonly onSubscribed: (frame: Extract<ServerFrame, { type: 'subscribed' }>) => void
}

const SID = 'a'
/** A broker that is there greets well within this. */
const GREETING_MS = 5_000

/** Codes with which a broker ends a session for good: 4500 to 4599. */
function isFinal(code: number): boolean {
  return code >= 4_500 && code <= 4_599
}

/** One WebSocket with one subscription, and the records that came over it and are not taken yet: never more than the credit. */
export class RecordSession {
  readonly #options: SessionOptions
  readonly #socket: WebSocketLike
  readonly #frames: RecordsFrame[] = []
  #isOpen = false
  /** Something came since `next` last looked. */
  #isAlive = false
  #hasAsked = false
  #takenRecords = 0
  #takenBytes = 0
  #end: SessionEnd | undefined
  #wake: (() => void) | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.#socket = new options.WebSocket(`${options.url.replace(/^http/, 'ws')}/v1/ws`, SUBPROTOCOL)
    this.#socket.binaryType = 'arraybuffer'
    this.#socket.onopen = () => this.#subscribe()
    this.#socket.onmessage = (event: { readonly data: unknown }) => this.#take(event.data)
    this.#socket.onclose = (event: { readonly code: number; readonly reason?: string }) =>
      this.#close(event.code, event.reason ?? '')
    // A close follows, which tells all that is known.
    this.#socket.onerror = () => undefined
  }

  /**
   * The next frame of records, or how the session ended; records that came before the end come first. After `silenceMs`
   * without any frame the broker is asked whether it is there, since a browser neither sees pings nor learns that the other
   * side is gone; after as long again the session counts as broken.
   */
  async next(silenceMs: number): Promise<RecordsFrame | SessionEnd> {
    for (;;) {
      const frame = this.#frames.shift() ?? this.#end
      if (frame !== undefined) return frame
      this.#isAlive = false
      await this.#somethingComes(this.#isOpen ? silenceMs : Math.min(silenceMs, GREETING_MS))
      if (this.#isAlive) this.#hasAsked = false
      else if (this.#end === undefined) this.#ask()
    }
  }

  /** The reader is done with a record that cost so much: as much more may come. Told in halves of the credit. */
  done(sizeBytes: number): void {
    this.#takenRecords++
    this.#takenBytes += sizeBytes
    const { records, bytes } = this.#options.credit
    if (this.#takenRecords * 2 < records && this.#takenBytes * 2 < bytes) return
    this.#send({ type: 'credit', sid: SID, records: this.#takenRecords, bytes: this.#takenBytes })
    this.#takenRecords = 0
    this.#takenBytes = 0
  }

  /** Ends the waiting of `next` and the connection. */
  drop(): void {
    this.#finish({ kind: this.#isOpen ? 'broken' : 'never-open' })
    this.#socket.onmessage = null
    this.#socket.close()
  }

  #subscribe(): void {
    this.#isOpen = true
    const { topic, partitions, start, credit } = this.#options
    this.#send({
      type: 'subscribe',
      id: SID,
      sid: SID,
      topic,
      ...(partitions === undefined ? {} : { partitions }),
      ...start,
      credit,
    })
  }

  #send(frame: ClientFrame): void {
    if (this.#end === undefined) this.#socket.send(encodeFrame(frame))
  }

  #somethingComes(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #ask(): void {
    if (!this.#isOpen || this.#hasAsked) return this.drop()
    this.#hasAsked = true
    this.#send({ type: 'ping' })
  }

  #take(data: unknown): void {
    if (this.#end !== undefined) return
    this.#isAlive = true
    try {
      if (!(data instanceof ArrayBuffer)) throw new TypeError('A text message came.')
      this.#on(decodeFrame(data))
    } catch {
      // What is no frame comes from something between, or from a broker that is broken.
      this.drop()
    }
    this.#wake?.()
  }

  #on(frame: ServerFrame): void {
    if (frame.type === 'records') this.#frames.push(frame)
    else if (frame.type === 'subscribed') this.#options.onSubscribed(frame)
    // The broker stops: what it sent is good, and another one has the rest.
    else if (frame.type === 'moving') this.drop()
    else if (frame.type === 'error') this.#fail(new SynodProblem(frame.problem))
    else if (frame.type === 'reset') this.#fail(trimmed(this.#options.topic, frame.lost))
  }

  #fail(error: SynodProblem): void {
    this.#finish({ kind: 'failed', error })
    this.#socket.close()
  }

  #close(code: number, reason: string): void {
    if (isFinal(code))
      this.#finish({ kind: 'failed', error: new Error(`The broker ended the session with ${code} ${reason}.`) })
    this.#finish({ kind: this.#isOpen ? 'broken' : 'never-open' })
  }

  /** The first end is the one that counts. */
  #finish(end: SessionEnd): void {
    this.#end ??= end
    this.#wake?.()
  }
}

function trimmed(topic: string, lostCount: number): SynodProblem {
  return new SynodProblem({
    code: 'offset-trimmed',
    status: 410,
    title: 'The records are no longer there',
    detail: `${lostCount} records of '${topic}' that come next are trimmed.`,
    hint: 'Subscribe again from the earliest record.',
    retryable: false,
    sideEffects: 'none',
    requestId: '',
    lost: lostCount,
  })
}
