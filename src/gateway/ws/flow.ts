import type { StageTime } from '../../observability/stages.ts'
import { invariant } from '../../types/invariant.ts'
import type { StoredRecord } from '../../types/record.ts'
import { recordsOf, type Chunk, type TopicFollower } from '../reading/follow.ts'
import { READER_TURNS } from '../reading/turns.ts'
import type { WebSocketConnection } from './connection.ts'
import { granted, recordsAllowed, spent, type Credit, type CreditGrant } from './credit.ts'

export interface FlowOptions {
  readonly follower: TopicFollower
  readonly connection: WebSocketConnection
  /** What may be sent at first. Undefined: as much as the socket takes. */
  readonly credit: Credit | undefined
  /** The records as whole frames; called when they are sent, once each and in order. */
  readonly encode: (chunk: Chunk) => readonly Buffer[]
  /** Is told how long records waited for their turn and were encoded. */
  readonly fanOut: StageTime
}

/**
 * Records on their way from the log to one subscription: no more than the credit allows, no more than the socket takes.
 * Beyond what its follower has ready, it holds the rest of one chunk, so that a subscriber without credit still hears that
 * there is more.
 */
export class Flow {
  readonly #options: FlowOptions
  #credit: Credit | undefined
  /** Writes of this flow that have not left the process. */
  #underWayCount = 0
  #isStopped = false
  #wake: (() => void) | undefined

  constructor(options: FlowOptions) {
    this.#options = options
    this.#credit = options.credit
  }

  get credit(): Credit | undefined {
    return this.#credit
  }

  grant(grant: CreditGrant): void {
    invariant(this.#credit !== undefined, 'Credit is granted where it is counted.')
    this.#credit = granted(this.#credit, grant)
    this.#wakeUp()
  }

  /** Sends until it is stopped, the socket closes or the follower ends. Rejects with the follower's error. */
  async run(): Promise<void> {
    const { follower } = this.#options
    try {
      for (;;) {
        const chunk = await follower.next()
        if (chunk === undefined) return
        for (let rest: Chunk | undefined = chunk; rest !== undefined;) {
          const part: Chunk | undefined = await this.#allowed(rest)
          if (part === undefined || !(await this.#send(part))) return
          rest = part.nextOffset === rest.nextOffset ? undefined : { ...rest, fromOffset: part.nextOffset }
        }
      }
    } finally {
      this.stop()
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#options.follower.stop()
    this.#wakeUp()
  }

  /** The first records of the chunk that the credit allows, as soon as it allows one; undefined when stopped. */
  async #allowed(chunk: Chunk): Promise<Chunk | undefined> {
    if (this.#credit === undefined) return chunk
    const sizesBytes = recordsOf(chunk).map(sizeBytesOf)
    while (!this.#isStopped) {
      const count = recordsAllowed(this.#credit, sizesBytes, this.#underWayCount === 0)
      if (count > 0) return { ...chunk, nextOffset: chunk.fromOffset + count }
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return undefined
  }

  /** False when there is nobody to send to any more. */
  async #send(chunk: Chunk): Promise<boolean> {
    const { connection, encode } = this.#options
    const readAtMs = performance.now()
    const turn = READER_TURNS.enter(chunk.byteLength)
    if (turn !== undefined) await turn
    const waitedMs = performance.now() - readAtMs
    // All flows of the connection wake when there is room, and the first of them may take it.
    for (let room = connection.room(); room !== undefined; room = connection.room()) {
      if (this.#isStopped || !connection.isOpen) return false
      await room
    }
    if (this.#isStopped || !connection.isOpen) return false
    // How long the client took to make room is no time of this broker.
    const hasRoomAtMs = performance.now()
    if (this.#credit === undefined) {
      connection.write(encode(chunk))
    } else {
      this.#credit = spent(this.#credit, recordsOf(chunk).map(sizeBytesOf))
      this.#underWayCount++
      connection.write(encode(chunk), () => {
        this.#underWayCount--
        if (this.#underWayCount === 0) this.#wakeUp()
      })
    }
    this.#options.fanOut(waitedMs + performance.now() - hasRoomAtMs)
    const room = connection.room()
    if (room !== undefined) await room
    return !this.#isStopped
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

/** What a record costs of the credit in bytes. */
function sizeBytesOf({ key, value }: StoredRecord): number {
  return value.byteLength + (key === undefined ? 0 : Buffer.byteLength(key))
}
