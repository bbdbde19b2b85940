import { WebSocket } from 'ws'
import { createSynodClient, SynodProblem, type SynodRecord } from '../../clients/typescript/src/client.ts'
import type { Operation, SeenRecord } from '../history/operation.ts'
import { beginsAt } from './begins.ts'
import { isUnexpected, valueOf } from './sending.ts'

export interface ReaderOptions {
  readonly name: string
  readonly url: string
  /** For readers that go on at another broker. */
  readonly otherUrls: readonly string[]
  readonly topic: string
  readonly partitions: number
  record(operation: Operation): void
  /** It was told that what is below this offset is trimmed. */
  trimmed(partition: number, logStart: number): void
  /** An answer that no fault explains. */
  unexpected(sentence: string): void
}

/** Reads from the first record on and says what it is given, as it is given. */
export abstract class Reader {
  readonly name: string
  protected readonly options: ReaderOptions
  protected readonly abort = new AbortController()
  /** Next offsets, of every partition. */
  protected readonly positions = new Map<number, number>()
  readonly #done: Promise<void>

  constructor(options: ReaderOptions) {
    this.name = options.name
    this.options = options
    for (let partition = 0; partition < options.partitions; partition++) this.positions.set(partition, 0)
    // Not before the constructors of the kinds have run.
    this.#done = Promise.resolve().then(() => this.run())
  }

  /** Whether it has read all records below these marks. */
  hasReached(highWatermarks: ReadonlyMap<number, number>): boolean {
    return [...highWatermarks].every(([partition, mark]) => (this.positions.get(partition) ?? 0) >= mark)
  }

  async stop(): Promise<void> {
    this.abort.abort()
    await this.#done
    const partitions = Array.from({ length: this.options.partitions }, (_, partition) => partition)
    this.options.record({ type: 'end', reader: this.name, partitions })
  }

  protected abstract run(): Promise<void>

  /** From here on exactly the records from the present positions on are due. */
  protected seek(): void {
    this.options.record({ type: 'seek', reader: this.name, next: Object.fromEntries(this.positions) })
  }

  protected given(records: readonly SynodRecord[]): void {
    if (records.length === 0) return
    for (const { partition, offset } of records) this.positions.set(partition, offset + 1)
    this.options.record({
      type: 'poll',
      reader: this.name,
      records: records.map((each): SeenRecord => [each.partition, each.offset, valueOf(each.text ?? '')]),
    })
  }

  /** Reads on where the partition begins now, and not before. */
  protected skipTo(partition: number, logStart: number): void {
    if (this.isStopped) return
    this.options.trimmed(partition, logStart)
    if ((this.positions.get(partition) ?? 0) < logStart) this.positions.set(partition, logStart)
  }

  /** Asks where each partition begins, after something that was due is said to be trimmed. */
  protected async skipTrimmed(): Promise<void> {
    const { url, otherUrls, topic } = this.options
    for (const each of [url, ...otherUrls])
      try {
        for (const [partition, logStart] of await beginsAt(each, topic, this.positions.keys()))
          this.skipTo(partition, logStart)
        return
      } catch {
        // It is away; another one knows, too.
      }
  }

  protected get isStopped(): boolean {
    return this.abort.signal.aborted
  }
}

const SILENCE_MS = 3_000

/** The TypeScript client: it begins at one broker and goes on at others by itself. */
export class ClientReader extends Reader {
  protected async run(): Promise<void> {
    const { url, otherUrls, topic } = this.options
    const client = createSynodClient([url, ...otherUrls], { WebSocket })
    while (!this.isStopped) {
      this.seek()
      const records = client.subscribe(topic, {
        from: Object.fromEntries(this.positions),
        signal: this.abort.signal,
        silenceMs: SILENCE_MS,
      })
      try {
        for await (const record of records) this.given([record])
      } catch (error) {
        if (this.isStopped) return
        const isTrimmed = error instanceof SynodProblem && error.code === 'offset-trimmed'
        if (!isTrimmed) return this.options.unexpected(`${this.name} ended: ${String(error)}`)
        await this.skipTrimmed()
      }
    }
  }
}

const RETRY_MS = 200
/** Of this topic, which nobody deletes. */
const TRIMMED_STATUS = 410
const FRAME_RECORDS = 50

/** A bare WebSocket to one broker, so that nothing between hides what that broker sends. */
export class SocketReader extends Reader {
  #isTrimmed = false

  protected async run(): Promise<void> {
    while (!this.isStopped) {
      this.seek()
      await this.#session()
      if (this.#isTrimmed) await this.skipTrimmed()
      this.#isTrimmed = false
      await pause(RETRY_MS)
    }
  }

  #session(): Promise<void> {
    const { url, topic } = this.options
    const from = [...this.positions].map(([partition, offset]) => `${partition}@${offset}`).join(',')
    const query = new URLSearchParams({ from, batch: String(FRAME_RECORDS) })
    const address = `${url.replace('http', 'ws')}/v1/topics/${topic}/subscribe?${query.toString()}`
    return new Promise((resolve) => {
      const socket = new WebSocket(address)
      const onAbort = (): void => socket.terminate()
      this.abort.signal.addEventListener('abort', onAbort)
      socket.on('message', (data: Buffer) => this.#frame(data))
      socket.on('unexpected-response', (_request, response) => {
        const status = response.statusCode ?? 0
        if (status === TRIMMED_STATUS) this.#isTrimmed = true
        else if (isUnexpected(status)) this.options.unexpected(`${this.name}: ${status} at the handshake.`)
        socket.terminate()
      })
      // A close follows.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.abort.signal.removeEventListener('abort', onAbort)
        resolve()
      })
    })
  }

  #frame(data: Buffer): void {
    if (this.isStopped) return
    const frame = JSON.parse(data.toString('utf8')) as
      readonly SynodRecord[] | { readonly problem?: { readonly status: number; readonly code: string } }
    if ('problem' in frame && frame.problem !== undefined) {
      if (frame.problem.code === 'offset-trimmed') this.#isTrimmed = true
      else if (isUnexpected(frame.problem.status))
        this.options.unexpected(`${this.name}: ${JSON.stringify(frame.problem)}`)
    } else if (Array.isArray(frame)) {
      this.given(frame as readonly SynodRecord[])
    }
  }
}

const PAGE_TRY_MS = 3_000
const PAGE_RECORDS = 200
/** So long a page waits for a record before it is empty. */
const PAGE_WAIT_MS = 100

/** Pages of one broker, partition after partition: of each all that there is, or it would never come after many producers. */
export class PageReader extends Reader {
  protected async run(): Promise<void> {
    this.seek()
    let partition = 0
    while (!this.isStopped) {
      const outcome = await this.#page(partition)
      if (outcome !== 'full') partition = (partition + 1) % this.options.partitions
      if (outcome === 'none') await pause(RETRY_MS)
    }
  }

  async #page(partition: number): Promise<'full' | 'last' | 'none'> {
    const { url, topic } = this.options
    const from = this.positions.get(partition) ?? 0
    try {
      const response = await fetch(
        `${url}/v1/topics/${topic}/partitions/${partition}/records?from=${from}&limit=${PAGE_RECORDS}&wait=${PAGE_WAIT_MS}ms`,
        { signal: AbortSignal.any([this.abort.signal, AbortSignal.timeout(PAGE_TRY_MS)]) },
      )
      const page = (await response.json()) as {
        records: readonly SynodRecord[]
        code?: string
        logStart?: number
      }
      if (response.ok) {
        if (!this.isStopped) this.given(page.records)
        return page.records.length === PAGE_RECORDS ? 'full' : 'last'
      }
      if (page.code === 'offset-trimmed' && page.logStart !== undefined) {
        this.skipTo(partition, page.logStart)
        this.seek()
        return 'full'
      }
      if (isUnexpected(response.status))
        this.options.unexpected(`${this.name}: ${response.status} ${page.code} at ${partition}@${from}.`)
    } catch {
      // The broker is away; what is due stays due.
    }
    return 'none'
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
