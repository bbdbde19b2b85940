import type { BrokerId, GroupId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import { majority } from '../paxos/quorum.ts'
import { PeerLost, PeerUnreachable, type Transport } from '../transport/transport.ts'
import type { LoopClock } from './loop.ts'
import type { Registry } from './registry.ts'

/** A group as a caller knows it: its id and who holds it, the preferred leader first. */
export interface RoutedGroup {
  readonly group: GroupId
  readonly replicas: readonly BrokerId[]
}

export interface RoutedCall<Answer> {
  /** Carries the call out here; throws 'no-leader' when this broker does not lead. */
  local(timeoutMs: number): Promise<Answer>
  /** The same call for another broker. */
  readonly kind: string
  readonly body: () => Uint8Array
  readonly decode: (answer: Uint8Array, from: BrokerId) => Answer
  /** Sending it twice does no harm: reads, and writes with idempotency fields. */
  readonly isRepeatable: boolean
}

/** Nothing was done, and it may be tried again; `refusal` is what to say if there is no time for it. */
interface Retry {
  readonly refusal: SynodError | undefined
}

/** How long a call that was not yet appended waits for a leader (api.md). */
const LEADER_WAIT_MS = 1_500
/** Pause before the next broker is asked when nobody is known to lead. */
const RETRY_MS = 50
/** Hints for groups that this broker holds no replica of. */
const HINTS_MAX = 100_000

/**
 * Finds a group's leader and has a call carried out there: here if this broker leads, else by one hop. A call is sent again
 * only when it provably never entered the leader's log, or when repeating it is harmless.
 */
export class Router {
  readonly #self: BrokerId
  readonly #registry: Registry
  readonly #transport: Transport
  readonly #clock: LoopClock
  readonly #isAlive: (broker: BrokerId) => boolean
  readonly #hints = new Map<GroupId, BrokerId>()

  constructor(options: {
    self: BrokerId
    registry: Registry
    transport: Transport
    clock: LoopClock
    isAlive: (broker: BrokerId) => boolean
  }) {
    this.#self = options.self
    this.#registry = options.registry
    this.#transport = options.transport
    this.#clock = options.clock
    this.#isAlive = options.isAlive
  }

  /** Who leads, as far as this broker knows. A hint, never used for safety. */
  leaderOf(group: GroupId): BrokerId | undefined {
    const replica = this.#registry.replica(group)
    return replica === undefined ? this.#hints.get(group) : replica.paxos.leader
  }

  /**
   * Carries `call` out at the leader. `timeoutMs` bounds the call itself; the wait for a leader is bounded apart.
   * Errors: 'no-leader', 'no-quorum' (certainly not done), 'outcome-unknown', and the call's own.
   */
  async atLeader<Answer>(routed: RoutedGroup, call: RoutedCall<Answer>, timeoutMs: number): Promise<Answer> {
    const giveUpMs = this.#clock.nowMs() + LEADER_WAIT_MS
    const tried = new Set<BrokerId>()
    let refusal: SynodError | undefined
    for (;;) {
      const target = this.#target(routed, tried)
      if (target !== undefined) {
        const attempt = await this.#attempt(target, routed, call, timeoutMs)
        if ('answer' in attempt) return attempt.answer
        refusal = attempt.refusal
      }
      const leftMs = giveUpMs - this.#clock.nowMs()
      if (leftMs <= 0) throw refusal ?? this.#nobodyLeads(routed)
      await this.#registry.nextLeaderChange(routed.group, Math.min(leftMs, RETRY_MS), (run, delayMs) =>
        this.#clock.later(run, delayMs),
      )
    }
  }

  /** Asks one broker, without looking for a leader. */
  async at(
    broker: BrokerId,
    group: GroupId,
    kind: string,
    body: Uint8Array,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    return this.#transport.request(broker, { kind, group, body }, { timeoutMs })
  }

  #target(routed: RoutedGroup, tried: Set<BrokerId>): BrokerId | undefined {
    const leader = this.leaderOf(routed.group)
    if (leader !== undefined) return leader
    if (this.#registry.replica(routed.group) !== undefined) return undefined
    // This broker holds no replica: ask those who do, one after the other.
    const next = routed.replicas.find((broker) => !tried.has(broker) && this.#isAlive(broker))
    if (next === undefined) tried.clear()
    else tried.add(next)
    return next
  }

  async #attempt<Answer>(
    target: BrokerId,
    routed: RoutedGroup,
    call: RoutedCall<Answer>,
    timeoutMs: number,
  ): Promise<{ answer: Answer } | Retry> {
    try {
      if (target === this.#self) return { answer: await call.local(timeoutMs) }
      const request = { kind: call.kind, group: routed.group, body: call.body() }
      const answer = await this.#transport.request(target, request, { timeoutMs: timeoutMs + 500 })
      this.#hint(routed.group, target)
      return { answer: call.decode(answer, target) }
    } catch (error) {
      return this.#afterFailure(error, routed, call)
    }
  }

  #afterFailure<Answer>(error: unknown, routed: RoutedGroup, call: RoutedCall<Answer>): Retry {
    if (error instanceof PeerUnreachable) {
      this.#hints.delete(routed.group)
      return { refusal: undefined }
    }
    if (error instanceof PeerLost) {
      this.#hints.delete(routed.group)
      if (call.isRepeatable) return { refusal: undefined }
      throw new SynodError(
        'outcome-unknown',
        'The leader was lost while it worked on the request; it may be done.',
        {
          hint: 'Send it again with the same Idempotency-Key: it is then done once.',
          cause: error,
        },
      )
    }
    if (error instanceof SynodError && error.code === 'no-leader') {
      const leader = error.facts['leader']
      if (typeof leader === 'number') this.#hint(routed.group, leader as BrokerId)
      else this.#hints.delete(routed.group)
      return { refusal: undefined }
    }
    // A leader that was elected just now is about to bring its followers into sync.
    if (error instanceof SynodError && error.code === 'not-enough-in-sync') return { refusal: error }
    throw error
  }

  #hint(group: GroupId, leader: BrokerId): void {
    if (this.#hints.size >= HINTS_MAX) this.#hints.clear()
    this.#hints.set(group, leader)
  }

  #nobodyLeads(routed: RoutedGroup): SynodError {
    const alive = routed.replicas.filter((broker) => broker === this.#self || this.#isAlive(broker)).length
    const needed = majority(routed.replicas.length)
    if (alive < needed) {
      return new SynodError(
        'no-quorum',
        `Only ${alive} of ${routed.replicas.length} replicas can be reached; ${needed} are needed.`,
        {
          hint: 'Bring the missing brokers back; nothing was stored, so the request can be sent again.',
          retryAfterMs: 2_000,
        },
      )
    }
    return new SynodError('no-leader', 'The replicas have not agreed on a leader yet.', {
      hint: 'Try again in a moment; nothing was stored.',
      retryAfterMs: 1_000,
    })
  }
}
