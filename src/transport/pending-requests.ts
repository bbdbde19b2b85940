import { SynodError } from '../errors.ts'
import { encodeFrame, FRAME_HEADER_BYTES, FRAME_TYPE } from './frames.ts'
import type { OutgoingFrame, QueuePlace } from './lane-queue.ts'
import { OPENING_WAIT_MS_MAX, OUTSTANDING_REQUESTS_MAX } from './limits.ts'
import { encodeCancel, encodeRequest, REQUEST_DEADLINE_OFFSET } from './request-codec.ts'
import { PeerLost, PeerUnreachable, type PeerRequest } from './transport.ts'

/** The lane that requests leave by. */
export interface RequestLane {
  readonly state: string
  hasRoomFor(byteLength: number): boolean
  offer(frame: OutgoingFrame): QueuePlace | undefined
  withdraw(place: QueuePlace): void
}

interface Pending {
  /** Its bytes may have reached the peer. */
  hasLeft: boolean
  place: QueuePlace | undefined
  resolve(answer: Uint8Array): void
  reject(error: unknown): void
}

/**
 * Requests to one peer that wait for their answer, at most `OUTSTANDING_REQUESTS_MAX`. Each ends exactly once, and says
 * whether it may have been acted on: `PeerUnreachable` while its bytes are still here, `PeerLost` afterwards.
 */
export class PendingRequests {
  readonly #lane: RequestLane
  readonly #pending = new Map<number, Pending>()
  #lastId = 0

  constructor(lane: RequestLane) {
    this.#lane = lane
  }

  get count(): number {
    return this.#pending.size
  }

  /** See `Transport.request`. Beyond the bounds it rejects with SynodError 'overloaded': nothing was sent. */
  send(
    request: PeerRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    const { signal } = options
    if (signal?.aborted === true) return Promise.reject(new PeerUnreachable('The request was cancelled.'))
    if (this.#lane.state === 'failed' || this.#lane.state === 'closed') {
      return Promise.reject(new PeerUnreachable('No lane to the broker is open.'))
    }
    if (this.#pending.size >= OUTSTANDING_REQUESTS_MAX || !this.#lane.hasRoomFor(request.body.length)) {
      const detail = 'Too many requests to another broker wait for their answer.'
      return Promise.reject(new SynodError('overloaded', detail, { retryAfterMs: 1_000 }))
    }
    const id = ++this.#lastId
    const deadlineAtMs = performance.now() + options.timeoutMs
    const promise = new Promise<Uint8Array>((resolve, reject) => {
      const pending: Pending = { hasLeft: false, place: undefined, resolve, reject }
      this.#pending.set(id, pending)
      pending.place = this.#lane.offer(this.#frameOf(id, pending, request, deadlineAtMs))
    })
    const timer = setTimeout(() => this.#giveUp(id, 'No answer in time.'), options.timeoutMs)
    const onAbort = (): void => this.#giveUp(id, 'The request was cancelled.')
    signal?.addEventListener('abort', onAbort, { once: true })
    const openingTimer = this.#lane.state === 'open' ? undefined : this.#watchOpening(id)
    return promise.finally(() => {
      clearTimeout(timer)
      clearTimeout(openingTimer)
      signal?.removeEventListener('abort', onAbort)
    })
  }

  /** An answer came. Nothing waits for it any more: it is dropped. */
  answered(id: number, body: Uint8Array): void {
    this.#settle(id)?.resolve(body)
  }

  failed(id: number, error: SynodError): void {
    this.#settle(id)?.reject(error)
  }

  /** The lane broke: what had left may have been acted on. What had not left was dropped by the lane's queue before. */
  laneLost(detail: string): void {
    for (const id of [...this.#pending.keys()]) {
      const pending = this.#settle(id)
      if (pending === undefined) continue
      pending.reject(pending.hasLeft ? new PeerLost(detail) : new PeerUnreachable(detail))
    }
  }

  #frameOf(id: number, pending: Pending, request: PeerRequest, deadlineAtMs: number): OutgoingFrame {
    const frame = encodeFrame(request.group, FRAME_TYPE.REQUEST, (writer) =>
      encodeRequest(writer, { id, deadlineMs: 0, kind: request.kind }, request.body),
    )
    return {
      ...frame,
      rank: 'ordinary',
      onLeave: () => {
        pending.hasLeft = true
        const leftMs = Math.max(0, Math.floor(deadlineAtMs - performance.now()))
        frame.chunks[0]?.writeUInt32BE(
          Math.min(leftMs, 0xffffffff),
          FRAME_HEADER_BYTES + REQUEST_DEADLINE_OFFSET,
        )
      },
      onDropped: () =>
        this.#settle(id)?.reject(new PeerUnreachable('The lane broke before the request left.')),
    }
  }

  #watchOpening(id: number): NodeJS.Timeout {
    return setTimeout(() => {
      if (this.#lane.state !== 'open') this.#giveUp(id, 'No lane to the broker is open.')
    }, OPENING_WAIT_MS_MAX)
  }

  #giveUp(id: number, detail: string): void {
    const pending = this.#settle(id)
    if (pending === undefined) return
    if (!pending.hasLeft) {
      if (pending.place !== undefined) this.#lane.withdraw(pending.place)
      return pending.reject(new PeerUnreachable(detail))
    }
    const cancel = encodeFrame(0, FRAME_TYPE.CANCEL, (writer) => encodeCancel(writer, id))
    this.#lane.offer({ ...cancel, rank: 'ordinary' })
    pending.reject(new PeerLost(detail))
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}
