import type { Socket } from 'node:net'

/** What is wrong with the way from one broker to another. Several at once add up. */
export interface LinkFault {
  /** Nothing gets through, not even the word that a connection was closed; it comes when the fault is over. */
  readonly isCut?: boolean
  readonly delayMs?: number
  /** For all connections of the link together. */
  readonly bytesPerSecond?: number
}

/** The way from one broker to another, for all connections that either of them opened. */
export class Link {
  readonly #faults = new Set<LinkFault>()
  readonly #pipes = new Set<Pipe>()
  #allowance = 0
  #allowanceAtMs = 0

  add(fault: LinkFault): void {
    this.#faults.add(fault)
    this.#allowance = 0
    this.#allowanceAtMs = performance.now()
    this.#wake()
  }

  remove(fault: LinkFault): void {
    this.#faults.delete(fault)
    this.#wake()
  }

  get isCut(): boolean {
    return [...this.#faults].some((fault) => fault.isCut === true)
  }

  get delayMs(): number {
    return [...this.#faults].reduce((sum, fault) => sum + (fault.delayMs ?? 0), 0)
  }

  /** How many of these bytes may pass now. */
  allow(byteLength: number): number {
    const rate = Math.min(...[...this.#faults].map((fault) => fault.bytesPerSecond ?? Infinity))
    if (rate === Infinity) return byteLength
    const nowMs = performance.now()
    const burst = rate / 10
    this.#allowance = Math.min(burst, this.#allowance + ((nowMs - this.#allowanceAtMs) * rate) / 1_000)
    this.#allowanceAtMs = nowMs
    const allowed = Math.min(byteLength, Math.floor(this.#allowance))
    this.#allowance -= allowed
    return allowed
  }

  attach(pipe: Pipe): void {
    this.#pipes.add(pipe)
  }

  detach(pipe: Pipe): void {
    this.#pipes.delete(pipe)
  }

  #wake(): void {
    for (const pipe of this.#pipes) pipe.pump()
  }
}

/** What is on its way in one direction of a connection: bytes, or the word that no more come, or that the sender is gone. */
interface Parcel {
  readonly dueAtMs: number
  readonly content: Buffer | 'end' | 'gone'
}

const RETRY_MS = 20
/** Like the buffers of a network: a sender that has so much under way waits. */
const UNDERWAY_BYTES_MAX = 256 * 1024

/** One direction of a connection: takes from a socket what comes and gives it to another, as the link allows. */
export class Pipe {
  readonly #link: Link
  readonly #source: Socket
  readonly #parcels: Parcel[] = []
  #sink: Socket | undefined
  #byteCount = 0
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(link: Link, source: Socket) {
    this.#link = link
    this.#source = source
    link.attach(this)
    source.on('data', (bytes) => this.#take(bytes))
    source.on('end', () => this.#take('end'))
    source.on('close', () => this.#take('gone'))
  }

  /** From now on what has come, and what comes, goes there. */
  connect(sink: Socket): void {
    this.#sink = sink
    sink.on('drain', () => this.pump())
    sink.on('close', () => this.#close())
    this.pump()
  }

  pump(): void {
    clearTimeout(this.#timer)
    while (!this.#isClosed && this.#sink !== undefined && !this.#sink.writableNeedDrain) {
      const parcel = this.#parcels[0]
      if (parcel === undefined || this.#link.isCut) return
      const waitMs = parcel.dueAtMs - performance.now()
      if (waitMs > 0) return this.#pumpIn(waitMs)
      if (!this.#deliver(parcel, this.#sink)) return
    }
  }

  /** False if nothing more can follow for now. */
  #deliver({ dueAtMs, content }: Parcel, sink: Socket): boolean {
    if (content === 'gone') {
      sink.destroySoon()
      this.#close()
      return false
    }
    if (content === 'end') {
      sink.end()
      this.#parcels.shift()
      return true
    }
    const allowed = this.#link.allow(content.length)
    if (allowed === 0) {
      this.#pumpIn(RETRY_MS)
      return false
    }
    sink.write(content.subarray(0, allowed))
    this.#byteCount -= allowed
    if (allowed === content.length) this.#parcels.shift()
    else this.#parcels[0] = { dueAtMs, content: content.subarray(allowed) }
    if (this.#byteCount < UNDERWAY_BYTES_MAX) this.#source.resume()
    return true
  }

  #take(content: Buffer | 'end' | 'gone'): void {
    if (this.#isClosed) return
    this.#parcels.push({ dueAtMs: performance.now() + this.#link.delayMs, content })
    this.#byteCount += typeof content === 'string' ? 0 : content.length
    if (this.#byteCount > UNDERWAY_BYTES_MAX) this.#source.pause()
    this.pump()
  }

  #pumpIn(delayMs: number): void {
    this.#timer = setTimeout(() => this.pump(), delayMs)
  }

  #close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#link.detach(this)
  }
}
