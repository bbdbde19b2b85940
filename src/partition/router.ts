import type { BrokerId, GroupId } from '../types/ids.ts'
import { SynodError, type ErrorCode } from '../errors.ts'
import { majority } from '../paxos/quorum.ts'
import { PeerLost, PeerUnreachable, type Transport } from '../transport/transport.ts'
import { Lifelines } from './lifelines.ts'
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
  /** What it changes when it is carried out: 'once' however often it is sent, or each time. */
  readonly changes: 'nothing' | 'once' | 'each-time'
}

/** How long a call that was not yet appended waits for a leader (api.md). */
const LEADER_WAIT_MS = 1_500
/** Pause before the next broker is asked when nobody is known to lead. */
const RETRY_MS = 50
/** What the answer of a remote call may take longer than the call. */
const HOP_MS = 500
/** Hints for groups that this broker holds no replica of. */
const HINTS_MAX = 100_000

/**
 * A replica has not taken the call; another one, or the same a moment later, may: a leader that was elected just now is about
 * to bring its followers into sync, one that drains is about to be followed.
 */
const PASSING: ReadonlySet<ErrorCode> = new Set(['no-leader', 'not-enough-in-sync', 'draining'])
/**
 * Says nothing of an earlier attempt whose outcome is not known: it was not taken, or refused by what is so now and not by the
 * log, and what was sent first may reach the log later, when it is so no more (broker seed 4593), or was in it and read before
 * the topic went (broker seed 42102).
 */
const NOT_TAKEN: ReadonlySet<ErrorCode> = new Set([
  'overloaded',
  'disk-full',
  'topic-full',
  'producer-fenced',
  'etag-mismatch',
  'replica-behind',
  'replica-damaged',
  'not-enough-brokers',
  'would-lose-quorum',
  'topic-not-found',
  'topic-deleted',
  'topic-config-differs',
  'reassignment-in-progress',
  'invalid-config',
  ...PASSING,
])

/** What the attempts so far came to. */
interface Search {
  readonly tried: Set<BrokerId>
  /** When to stop looking for a leader; the time that a leader worked on the call does not count. */
  giveUpMs: number
  /** An attempt was lost, and may have been carried out. */
  lost: Error | undefined
  /** The last reason of a replica that leads and takes no calls for now. */
  refusal: SynodError | undefined
}

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
  readonly #lifelines = new Lifelines()

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

  /**
   * The detector's view changed: what was asked of a broker that it misses is asked of its successor, if that is harmless.
   * What is not waits for its answer to the end: a pause may be all it was.
   */
  linksChanged(): void {
    this.#lifelines.cut(this.#isAlive)
  }

  /** Who leads, as far as this broker knows. A hint, never used for safety. */
  leaderOf(group: GroupId): BrokerId | undefined {
    const replica = this.#registry.replica(group)
    if (replica?.paxos.isVoter === true) return replica.paxos.leader
    return replica?.paxos.leader ?? this.#heard(group)
  }

  /** Whether a leader is known here that this broker does not miss. */
  reachesLeader(group: GroupId): boolean {
    const leader = this.leaderOf(group)
    return leader !== undefined && (leader === this.#self || this.#isAlive(leader))
  }

  /**
   * What is told to others: as the own replica knows it. Of what this broker only heard nothing is passed on, or brokers whose
   * replicas have moved away could send a call to each other for ever.
   */
  leaderToTell(group: GroupId): BrokerId | undefined {
    return this.#registry.replica(group)?.paxos.leader
  }

  /** Who does not vote does not lead, though others may still say so whom it led before its replica moved away. */
  #heard(group: GroupId): BrokerId | undefined {
    const leader = this.#hints.get(group)
    return leader === this.#self ? undefined : leader
  }

  /**
   * Carries `call` out at the leader. `timeoutMs` bounds the call itself; the wait for a leader is bounded apart.
   * Errors: 'no-leader', 'no-quorum', 'not-enough-in-sync' (certainly not done), 'outcome-unknown', and the call's own.
   */
  async atLeader<Answer>(routed: RoutedGroup, call: RoutedCall<Answer>, timeoutMs: number): Promise<Answer> {
    const endMs = this.#clock.nowMs() + timeoutMs + LEADER_WAIT_MS
    const search: Search = {
      tried: new Set(),
      giveUpMs: this.#clock.nowMs() + LEADER_WAIT_MS,
      lost: undefined,
      refusal: undefined,
    }
    for (;;) {
      const startedMs = this.#clock.nowMs()
      const target = this.#target(routed, search.tried)
      if (target !== undefined) {
        const attempt = await this.#attempt(target, routed, call, Math.min(timeoutMs, endMs - startedMs))
        if ('answer' in attempt) return attempt.answer
        this.#note(attempt.error, routed, call, search)
        if (!(attempt.error instanceof PeerUnreachable)) search.giveUpMs += this.#clock.nowMs() - startedMs
      }
      const leftMs = Math.min(search.giveUpMs, endMs) - this.#clock.nowMs()
      if (leftMs <= 0) throw this.#givenUp(routed, search)
      await this.#registry.nextLeaderChange(routed.group, Math.min(leftMs, RETRY_MS), (run, delayMs) =>
        this.#clock.later(run, delayMs),
      )
    }
  }

  /** Asks one broker, without looking for a leader. Errors: PeerUnreachable (it was not asked), PeerLost, the call's own. */
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
    // Nothing is sent to a leader that the detector misses: what it would answer could not be known for seconds.
    if (leader !== undefined && (leader === this.#self || this.#isAlive(leader))) return leader
    if (this.#registry.replica(routed.group)?.paxos.isVoter === true) return undefined
    // This broker holds no replica that would hear of a leader: ask those who do, one after the other.
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
  ): Promise<{ answer: Answer } | { error: unknown }> {
    try {
      if (target === this.#self) return { answer: await call.local(timeoutMs) }
      const request = { kind: call.kind, group: routed.group, body: call.body() }
      const signal = call.changes === 'each-time' ? undefined : this.#lifelines.of(target)
      const answer = await this.#transport.request(target, request, { timeoutMs: timeoutMs + HOP_MS, signal })
      this.#hint(routed.group, target)
      return { answer: call.decode(answer, target) }
    } catch (error) {
      return { error }
    }
  }

  /** Throws unless the call may be sent again. */
  #note<Answer>(error: unknown, routed: RoutedGroup, call: RoutedCall<Answer>, search: Search): void {
    if (isUnknown(error)) {
      this.#hints.delete(routed.group)
      if (call.changes === 'each-time') throw mayBeDone(error)
      if (call.changes === 'once') search.lost = error
    } else if (error instanceof PeerUnreachable) {
      this.#hints.delete(routed.group)
    } else if (error instanceof SynodError && PASSING.has(error.code)) {
      search.refusal = error.code === 'not-enough-in-sync' ? error : undefined
      const leader = error.facts['leader']
      if (typeof leader === 'number') this.#hint(routed.group, leader as BrokerId)
      else if (error.code !== 'not-enough-in-sync') this.#hints.delete(routed.group)
    } else {
      const saysNothing = error instanceof SynodError && NOT_TAKEN.has(error.code)
      throw search.lost !== undefined && saysNothing ? mayBeDone(search.lost) : error
    }
  }

  #hint(group: GroupId, leader: BrokerId): void {
    if (this.#hints.size >= HINTS_MAX) this.#hints.clear()
    this.#hints.set(group, leader)
  }

  #givenUp(routed: RoutedGroup, search: Search): SynodError {
    if (search.lost !== undefined) return mayBeDone(search.lost)
    if (search.refusal !== undefined) return search.refusal
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

/** The call may have been carried out, or may still be. */
function isUnknown(error: unknown): error is Error {
  return error instanceof PeerLost || (error instanceof SynodError && error.code === 'outcome-unknown')
}

function mayBeDone(cause: Error): SynodError {
  if (cause instanceof SynodError) return cause
  return new SynodError(
    'outcome-unknown',
    'The leader was lost while it worked on the request; it may be done.',
    {
      hint: 'Send it again with the same Idempotency-Key: it is then done once.',
      cause,
    },
  )
}
