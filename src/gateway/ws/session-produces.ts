import { SynodError } from '../../errors.ts'
import { findTopicFor, storeBatch } from '../http/produce-batch.ts'
import type { RequestContext } from '../http/context.ts'
import type { WebSocketConnection } from './connection.ts'
import type { SessionCodec } from './session-codec.ts'
import type { ClientFrameOf } from './session-frames.ts'
import type { SessionParts } from './session.ts'

/** Produces of one session under way, as many as requests of one connection. */
const PRODUCES_MAX = 1_000
/** Producers of one session whose epoch is remembered, the latest ones. */
export const OWN_PRODUCERS_MAX = 64

type Producer = NonNullable<ClientFrameOf<'produce'>['producer']>

export interface SessionProducesOptions {
  readonly parts: SessionParts
  readonly codec: SessionCodec
  readonly connection: WebSocketConnection
  /** Of the session as a whole: its produces are not answered by operation, so they share all but the frame. */
  readonly context: RequestContext
  readonly sayError: (error: unknown, about: { readonly id: string }, isIdempotent: boolean) => void
  /** None is under way any more. */
  readonly onIdle: () => void
}

/** The produces of one session. */
export class SessionProduces {
  readonly #options: SessionProducesOptions
  /** The highest epoch that this session itself has used of a producer. */
  readonly #epochs = new Map<string, number>()
  #count = 0
  #isFenced = false

  constructor(options: SessionProducesOptions) {
    this.#options = options
  }

  get isIdle(): boolean {
    return this.#count === 0
  }

  /** Another instance has taken over a producer of this session, so nothing more is to be stored for it. */
  get isFenced(): boolean {
    return this.#isFenced
  }

  async store(frame: ClientFrameOf<'produce'>, data: Buffer): Promise<void> {
    const { id, topic, producer } = frame
    const { parts, codec, connection, context, sayError } = this.#options
    const { admission } = parts.produce
    if (this.#count === PRODUCES_MAX || !parts.budget.take(data.length)) {
      sayError(new SynodError('overloaded', 'Too much is being stored already.'), { id }, false)
      return
    }
    let storing = 0
    this.#count++
    if (producer !== undefined) this.#remember(producer)
    const idempotency = producer === undefined ? undefined : ({ kind: 'producer', ...producer } as const)
    try {
      storing = admission.enter(data.length)
      const terms = { idempotency, expectedOffset: undefined, acks: 'majority' } as const
      const placed = codec.recordsOf(data, frame)
      const found = await findTopicFor(context, parts.produce, { topicName: topic, placed })
      const { results } = await storeBatch(context, parts.produce, { topic: found, terms, placed })
      if (connection.isOpen) connection.write([codec.produced(id, results)])
    } catch (error) {
      sayError(error, { id }, idempotency !== undefined)
      this.#isFenced ||= this.#isTakenOver(error, producer)
    } finally {
      this.#count--
      admission.leave(storing)
      parts.budget.give(data.length)
      if (this.#count === 0) this.#options.onIdle()
    }
  }

  #remember({ id, epoch }: Producer): void {
    const known = this.#epochs.get(id)
    if (known !== undefined && known >= epoch) return
    this.#epochs.delete(id)
    this.#epochs.set(id, epoch)
    const [oldest] = this.#epochs.keys()
    if (this.#epochs.size > OWN_PRODUCERS_MAX && oldest !== undefined) this.#epochs.delete(oldest)
  }

  /** Who began a new epoch itself knows about the late ones of the epoch before. */
  #isTakenOver(error: unknown, producer: Producer | undefined): boolean {
    if (!(error instanceof SynodError) || error.code !== 'producer-fenced' || producer === undefined)
      return false
    return (this.#epochs.get(producer.id) ?? producer.epoch) <= producer.epoch
  }
}
