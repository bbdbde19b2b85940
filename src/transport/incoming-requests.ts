import { SynodError } from '../errors.ts'
import type { BrokerId } from '../types/ids.ts'
import { InvariantError } from '../types/invariant.ts'
import { ByteReader, MalformedFrameError } from './byte-reader.ts'
import {
  encodeFrame,
  FRAME_TYPE,
  FrameTooLargeError,
  type EncodedFrame,
  type ReceivedFrame,
} from './frames.ts'
import type { QuietLog } from './log.ts'
import { OUTSTANDING_REQUESTS_MAX, REQUEST_DEADLINE_MS_MAX } from './limits.ts'
import { decodeCancel, decodeRequest, encodeAnswer, encodeError } from './request-codec.ts'
import type { PeerRequest, TransportHandlers } from './transport.ts'

export interface IncomingRequestsOptions {
  readonly from: BrokerId
  readonly onRequest: TransportHandlers['onRequest']
  readonly log: QuietLog
  /** Sends a frame back in the lane's answer. */
  reply(frame: EncodedFrame): void
}

/** The requests of one session of a peer's lane `fwd`: runs them, answers them, and aborts them when it ends. */
export class IncomingRequests {
  readonly #options: IncomingRequestsOptions
  readonly #running = new Map<number, AbortController>()

  constructor(options: IncomingRequestsOptions) {
    this.#options = options
  }

  /** Throws `MalformedFrameError`. */
  receive(frame: ReceivedFrame): void {
    const reader = new ByteReader(frame.payload)
    if (frame.type === FRAME_TYPE.CANCEL) {
      this.#onCancel(decodeCancel(reader))
    } else if (frame.type === FRAME_TYPE.REQUEST) {
      this.#onRequest(frame, reader)
    } else {
      throw new MalformedFrameError(`A frame of type ${frame.type} is no request.`)
    }
  }

  /** The session is over: nobody waits for the answers. */
  close(): void {
    for (const controller of this.#running.values())
      controller.abort(new Error('The lane of the request broke.'))
    this.#running.clear()
  }

  #onCancel(id: number): void {
    const controller = this.#running.get(id)
    this.#running.delete(id)
    controller?.abort(new Error('The asker cancelled the request.'))
  }

  #onRequest(frame: ReceivedFrame, reader: ByteReader): void {
    const { id, deadlineMs, kind, body } = decodeRequest(reader)
    if (this.#running.has(id)) throw new MalformedFrameError(`Request ${id} runs already.`)
    if (this.#running.size >= OUTSTANDING_REQUESTS_MAX) {
      this.#replyError(
        id,
        new SynodError('overloaded', 'The broker has too many requests of this peer at once.'),
      )
      return
    }
    const controller = new AbortController()
    this.#running.set(id, controller)
    this.#run(id, controller, { kind, group: frame.group, body }, deadlineMs).catch(stopProcess)
  }

  async #run(
    id: number,
    controller: AbortController,
    request: PeerRequest,
    deadlineMs: number,
  ): Promise<void> {
    const { signal } = controller
    const timer = setTimeout(
      () => controller.abort(new Error('The deadline of the request passed.')),
      Math.min(deadlineMs, REQUEST_DEADLINE_MS_MAX),
    )
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
    // After a cancellation, or when the lane broke, nobody waits for an answer.
    const isAwaited = (): boolean => this.#running.get(id) === controller
    try {
      const answer = await this.#options.onRequest(this.#options.from, request, { deadlineMs, signal })
      if (isAwaited()) this.#replyAnswer(id, answer)
    } catch (error) {
      if (error instanceof InvariantError) throw error
      if (isAwaited()) this.#replyError(id, this.#expected(request.kind, error))
    } finally {
      clearTimeout(timer)
      if (isAwaited()) this.#running.delete(id)
    }
  }

  #replyAnswer(id: number, answer: Uint8Array): void {
    try {
      this.#options.reply(encodeFrame(0, FRAME_TYPE.ANSWER, (writer) => encodeAnswer(writer, id, answer)))
    } catch (error) {
      if (!(error instanceof FrameTooLargeError)) throw error
      this.#replyError(id, new SynodError('internal', 'The answer is larger than brokers may send.'))
    }
  }

  #replyError(id: number, error: SynodError): void {
    this.#options.reply(encodeFrame(0, FRAME_TYPE.ERROR, (writer) => encodeError(writer, id, error)))
  }

  /** What goes wrong unexpectedly is this broker's own matter: the asker learns only that it did. */
  #expected(kind: string, error: unknown): SynodError {
    if (error instanceof SynodError) return error
    const { from, log } = this.#options
    const reason = error instanceof Error ? error.message : String(error)
    log.warnOnce(`request ${kind} failed: ${reason}`, 'A request of a broker failed.', { from, kind, reason })
    return new SynodError('internal', `The broker failed to do '${kind}'.`, { cause: error })
  }
}

/** Out of the promise, so that the process ends: a broker that contradicts itself must not go on. */
function stopProcess(error: unknown): void {
  setImmediate(() => {
    throw error
  })
}
