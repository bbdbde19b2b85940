import { WebSocket } from 'ws'

/** A record as a subscriber gets it. */
export interface SeenRecord {
  readonly partition: number
  readonly offset: number
  readonly key?: string
  readonly value?: unknown
  readonly text?: string
}

/**
 * A plain reader as anybody would write one: subscribes from the beginning, and after a break resumes at the offsets it has
 * reached. It keeps every record it was sent, so that a gap or a repeat shows.
 */
export class Subscriber {
  readonly seen: SeenRecord[] = []
  readonly #url: () => string
  readonly #next = new Map<number, number>()
  #socket: WebSocket | undefined
  #isClosed = false

  /** `url` is asked again at each connect: the socket's address without its query. */
  constructor(url: () => string) {
    this.#url = url
    this.#connect()
  }

  close(): void {
    this.#isClosed = true
    this.#socket?.terminate()
  }

  #connect(): void {
    if (this.#isClosed) return
    const from = [...this.#next].map(([partition, offset]) => `${partition}@${offset}`).join(',')
    const socket = new WebSocket(`${this.#url()}?from=${from === '' ? 'earliest' : from}&batch=500`)
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as SeenRecord[]))
    socket.on('error', () => {})
    socket.on('close', () => setTimeout(() => this.#connect(), 100))
  }

  #take(records: readonly SeenRecord[]): void {
    for (const record of records) {
      this.seen.push(record)
      this.#next.set(record.partition, record.offset + 1)
    }
  }
}

/** The first thing wrong with what a subscriber saw: a gap, a repeat, or a step back in some partition. */
export function firstAnomaly(seen: readonly SeenRecord[]): string | undefined {
  const next = new Map<number, number>()
  for (const { partition, offset } of seen) {
    const expected = next.get(partition) ?? 0
    if (offset !== expected) return `partition ${partition}: offset ${offset} came where ${expected} was due`
    next.set(partition, offset + 1)
  }
  return undefined
}
