import { SynodError } from '../../src/errors.ts'
import {
  PeerLost,
  PeerUnreachable,
  type PeerRequest,
  type TransportHandlers,
} from '../../src/transport/transport.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import type { Network } from '../sim/network.ts'
import type { Random } from '../sim/random.ts'

/** One end of the connections between brokers: a process that listens. */
export interface LaneEnd {
  readonly id: BrokerId
  readonly handlers: TransportHandlers
  /** False for a broker that was a peer and is none any more. */
  letsIn(from: BrokerId): boolean
  /** Runs as a part of the process: later while it stands still, never once it has ended. */
  inProcess(run: () => void): void
  later(run: () => void, delayMs: number): { cancel(): void }
}

interface Pending {
  readonly from: LaneEnd
  readonly to: LaneEnd
  lose(detail: string): void
  /** Whoever asked is gone. */
  abandon(): void
}

/** Requests under way in a whole run; the brokers' own bounds are far below. */
const PENDING_MAX = 100_000

/**
 * Connections over the simulated network. A message is on its own there: it may be lost, repeated or overtaken. A request is
 * carried out once at most; when its connection breaks, nobody knows whether it was, and whoever works on it is told.
 */
export class Lanes {
  readonly #network: Network
  readonly #random: Random
  readonly #open = new Map<BrokerId, LaneEnd>()
  readonly #pending = new Set<Pending>()

  constructor(network: Network, random: Random) {
    this.#network = network
    this.#random = random
  }

  open(end: LaneEnd): void {
    this.#open.set(end.id, end)
  }

  /** The process is gone: whoever waits for it finds its connection broken, sooner or later. */
  close(end: LaneEnd): void {
    if (this.#open.get(end.id) !== end) return
    this.#open.delete(end.id)
    for (const one of [...this.#pending]) if (one.from === end) one.abandon()
    this.breakBetween((one) => one.to === end && !this.#network.isCut(end.id, one.from.id))
  }

  find(broker: BrokerId): LaneEnd | undefined {
    return this.#open.get(broker)
  }

  /** Breaks the connections of these requests, and both ends hear of it. Others wait out their time. */
  breakBetween(isBroken: (one: Pick<Pending, 'from' | 'to'>) => boolean): void {
    for (const one of [...this.#pending])
      if (isBroken(one)) one.from.inProcess(() => one.lose('The lane broke.'))
  }

  send(from: BrokerId, to: BrokerId, deliver: (end: LaneEnd) => void): void {
    this.#network.send(from, to, () => this.#arrive(from, to, deliver))
  }

  /** Errors: as `Transport.request`. */
  request(
    from: LaneEnd,
    to: BrokerId,
    request: PeerRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    const target = this.#open.get(to)
    const isKnownCut = this.#network.isCut(from.id, to) && this.#random.chance(0.5)
    if (
      target?.letsIn(from.id) !== true ||
      isKnownCut ||
      options.signal?.aborted === true ||
      this.#pending.size >= PENDING_MAX
    )
      return Promise.reject(new PeerUnreachable(`No lane to broker ${to} is open.`))
    return new Promise((resolve, reject) => {
      const controller = new AbortController()
      const finish = (settle: () => void): void => {
        if (!this.#pending.delete(pending)) return
        timer.cancel()
        options.signal?.removeEventListener('abort', onAbort)
        settle()
      }
      const pending: Pending = {
        from,
        to: target,
        lose: (detail) =>
          finish(() => {
            target.inProcess(() => controller.abort(new Error(detail)))
            reject(new PeerLost(detail))
          }),
        abandon: () => {
          this.#pending.delete(pending)
          target.inProcess(() => controller.abort(new Error('Whoever asked is gone.')))
        },
      }
      const timer = from.later(() => pending.lose('No answer in time.'), options.timeoutMs)
      const onAbort = (): void => pending.lose('The request was cancelled.')
      options.signal?.addEventListener('abort', onAbort, { once: true })
      this.#pending.add(pending)
      const answer = (settle: () => void): void =>
        this.#network.sendOnce(to, from.id, () => from.inProcess(() => finish(settle)))
      this.#network.sendOnce(from.id, to, () => {
        // A process that was started since has other connections.
        if (this.#open.get(to) !== target) return
        target.inProcess(() => {
          if (controller.signal.aborted) return
          target.handlers.onHeard(from.id)
          const copy = { ...request, body: Buffer.from(request.body) }
          const given = { deadlineMs: options.timeoutMs, signal: controller.signal }
          target.handlers.onRequest(from.id, copy, given).then(
            (bytes) => {
              const body = Buffer.from(bytes)
              answer(() => resolve(body))
            },
            (error: unknown) => answer(() => reject(asAnswer(error))),
          )
        })
      })
    })
  }

  #arrive(from: BrokerId, to: BrokerId, deliver: (end: LaneEnd) => void): void {
    const end = this.#open.get(to)
    end?.inProcess(() => {
      if (!end.letsIn(from)) return
      end.handlers.onHeard(from)
      deliver(end)
    })
  }
}

/** As the real transport tells it: what is no expected error says nothing of the inside. */
function asAnswer(error: unknown): SynodError {
  return error instanceof SynodError
    ? error
    : new SynodError('internal', 'The broker failed.', { cause: error })
}
