import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { completeAnswer, quantile, requestBytes } from './http-load.ts'

export interface OpenLoad {
  readonly url: string
  readonly body: Uint8Array
  readonly contentType: string
  /** Requests that begin each second, whatever becomes of those before. */
  readonly perSecond: number
  /** Opened before; a request that finds all of them waiting is not sent. */
  readonly connections: number
  readonly seconds: number
}

/** What became of requests that were answered alike. Times run from the moment at which the request was due. */
export interface Answered {
  readonly count: number
  /** Of these, those that came while requests were still offered. */
  readonly inTimeCount: number
  readonly p50Ms: number
  readonly p99Ms: number
}

export interface OpenLoadResult {
  readonly seconds: number
  readonly byStatus: ReadonlyMap<number, Answered>
  /** Connections that broke without an answer. */
  readonly brokenCount: number
  readonly notSentCount: number
  readonly connectionCount: number
  /** 503 answers that said nothing of when to come again. */
  readonly withoutRetryAfter: number
}

const TICK_MS = 2
const OPENING_AT_ONCE = 50
const OVERLOADED = 503

/** POSTs at a fixed rate: what a service meets whose users do not wait for each other. */
export class OpenLoadRun {
  readonly #load: OpenLoad
  readonly #request: Buffer
  readonly #idle: Client[] = []
  readonly #clients = new Set<Client>()
  readonly #times = new Map<number, number[]>()
  readonly #inTime = new Map<number, number>()
  #isOver = false
  #broken = 0
  #notSent = 0
  #opened = 0
  #withoutRetryAfter = 0

  constructor(load: OpenLoad) {
    this.#load = load
    this.#request = requestBytes(load)
  }

  /** Ends when the last request that began has its answer, or 30 s later. */
  async run(): Promise<OpenLoadResult> {
    const { perSecond, seconds } = this.#load
    await this.#openAll()
    const startMs = performance.now()
    for (let begun = 0; begun < perSecond * seconds;) {
      const dueCount = Math.min(perSecond * seconds, ((performance.now() - startMs) / 1000) * perSecond)
      for (; begun < dueCount; begun++) this.#begin(startMs + (begun / perSecond) * 1000)
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    }
    const took = (performance.now() - startMs) / 1000
    this.#isOver = true
    const giveUpMs = performance.now() + 30_000
    while (this.#idle.length < this.#clients.size && performance.now() < giveUpMs)
      await new Promise((resolve) => setTimeout(resolve, TICK_MS))
    for (const client of this.#clients) client.end()
    return {
      seconds: took,
      byStatus: new Map(
        [...this.#times].map(([status, times]) => [status, answered(times, this.#inTime.get(status) ?? 0)]),
      ),
      brokenCount: this.#broken,
      notSentCount: this.#notSent,
      connectionCount: this.#opened,
      withoutRetryAfter: this.#withoutRetryAfter,
    }
  }

  #begin(dueMs: number): void {
    // The one that rested longest: a server ends connections on which nothing ever comes.
    const client = this.#idle.shift()
    if (client === undefined) this.#notSent++
    else client.send(this.#request, dueMs)
  }

  /** Few at a time: what is asked is what becomes of requests. */
  async #openAll(): Promise<void> {
    while (this.#clients.size < this.#load.connections) {
      await Promise.all(Array.from({ length: OPENING_AT_ONCE }, () => once(this.#open().socket, 'connect')))
    }
  }

  /** Idle from now on, also while it is being opened. */
  #open(): Client {
    this.#opened++
    const { hostname, port } = new URL(this.#load.url)
    const client = new Client(connect({ port: Number(port), host: hostname, noDelay: true }), {
      answered: (status, tookMs, isRetryTold, isLast) => {
        const times = this.#times.get(status) ?? []
        this.#times.set(status, times)
        times.push(tookMs)
        if (!this.#isOver) this.#inTime.set(status, (this.#inTime.get(status) ?? 0) + 1)
        if (status === OVERLOADED && !isRetryTold) this.#withoutRetryAfter++
        if (!isLast) this.#idle.push(client)
      },
      gone: (wasAsked) => {
        if (wasAsked) this.#broken++
        this.#clients.delete(client)
        const place = this.#idle.indexOf(client)
        if (place >= 0) this.#idle.splice(place, 1)
        if (!this.#isOver) this.#open()
      },
    })
    this.#clients.add(client)
    this.#idle.push(client)
    return client
  }
}

interface ClientEvents {
  /** `isLast`: the server takes no more requests on this connection. */
  readonly answered: (status: number, tookMs: number, isRetryTold: boolean, isLast: boolean) => void
  readonly gone: (wasAsked: boolean) => void
}

/** One connection, one request at a time. */
class Client {
  readonly socket: Socket
  #dueMs: number | undefined

  constructor(socket: Socket, events: ClientEvents) {
    this.socket = socket
    let pending: Buffer = Buffer.alloc(0)
    socket.on('data', (data: Buffer) => {
      pending = pending.length === 0 ? data : Buffer.concat([pending, data])
      const answer = completeAnswer(pending)
      if (answer === undefined || this.#dueMs === undefined) return
      const head = pending.toString('latin1', 0, answer.byteLength)
      pending = pending.subarray(answer.byteLength)
      const tookMs = performance.now() - this.#dueMs
      this.#dueMs = undefined
      const isLast = /^connection: close/im.test(head)
      events.answered(answer.status, tookMs, /^retry-after: \d/im.test(head), isLast)
      if (isLast) socket.destroy()
    })
    // Told by 'close' as well.
    socket.on('error', () => undefined)
    socket.on('close', () => events.gone(this.#dueMs !== undefined))
  }

  send(request: Buffer, dueMs: number): void {
    this.#dueMs = dueMs
    this.socket.write(request)
  }

  end(): void {
    this.socket.destroy()
  }
}

function answered(times: number[], inTimeCount: number): Answered {
  times.sort((a, b) => a - b)
  return { count: times.length, inTimeCount, p50Ms: quantile(times, 0.5), p99Ms: quantile(times, 0.99) }
}
