import assert from 'node:assert/strict'
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { SessionClient, type AnyServerFrame } from '../gateway/ws/session-client.ts'

const SID = 'a'
/** Small, so that grants go on all the time. */
const CREDIT = { records: 50, bytes: 100_000 }

export interface ReadPlace {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/**
 * Reads a topic over sessions: grants what it has taken, and when its session ends it opens another one at the next broker
 * with the last cursor. What it got is all that it keeps, so a record that came twice stands there twice.
 */
export class SessionReader {
  readonly places: ReadPlace[] = []
  /** Frames of types that a reader that lost nothing never sees. */
  readonly surprises: unknown[] = []
  readonly closeCodes: number[] = []
  movingCount = 0
  readonly #urls: () => readonly string[]
  readonly #topic: string
  readonly #protocol: string
  #cursor: string | undefined
  #isStopped = false
  #socket: WebSocket | undefined
  readonly #done: Promise<void>

  /** `urls`: where to read, the first one first. */
  constructor(options: {
    readonly urls: () => readonly string[]
    readonly topic: string
    readonly protocol: 'synod.v1.json' | 'synod.v1.bin'
  }) {
    this.#urls = options.urls
    this.#topic = options.topic
    this.#protocol = options.protocol
    this.#done = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#socket?.terminate()
    await this.#done
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isStopped; turn++) {
      const urls = this.#urls()
      const url = urls[turn % urls.length]!.replace('http:', 'ws:')
      const socket = new WebSocket(`${url}/v1/ws`, [this.#protocol])
      this.#socket = socket
      const client = new SessionClient(socket)
      const isOpen = await once(socket, 'open').then(
        () => true,
        () => false,
      )
      if (isOpen) {
        this.#read(client)
        this.closeCodes.push(await client.closed)
        assert.deepEqual(client.faults, [])
      } else await new Promise((done) => setTimeout(done, 50))
    }
  }

  #read(client: SessionClient): void {
    const start = this.#cursor === undefined ? { from: 'earliest' } : { cursor: this.#cursor }
    client.send({ type: 'subscribe', id: 's', sid: SID, topic: this.#topic, credit: CREDIT, ...start })
    let hasBegun = false
    let takenCount = 0
    client.socket.on('message', () => {
      for (const frame of client.frames.slice(takenCount)) {
        takenCount++
        if (frame.type === 'subscribed') hasBegun = true
        // Where nobody is found to say where to begin, it is tried at the next broker.
        else if (frame.type === 'error' && !hasBegun && frame.problem.retryable) client.socket.terminate()
        else this.#on(client, frame)
      }
    })
  }

  #on(client: SessionClient, frame: AnyServerFrame): void {
    if (frame.type === 'moving') this.movingCount++
    else if (frame.type === 'records') this.#take(client, frame)
    else if (['error', 'reset', 'end'].includes(frame.type)) this.surprises.push(frame)
  }

  #take(client: SessionClient, { records, cursor }: Extract<AnyServerFrame, { type: 'records' }>): void {
    this.#cursor = cursor
    for (const { partition, offset, text = '' } of records)
      this.places.push({ partition, offset, value: text })
    const bytes = records.reduce((sum, { text = '' }) => sum + Buffer.byteLength(text), 0)
    client.send({ type: 'credit', sid: SID, records: records.length, bytes })
  }
}
