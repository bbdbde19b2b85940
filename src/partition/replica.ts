import type { BrokerId, GroupId, Replica as ReplicaId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { SynodError } from '../errors.ts'
import { Paxos } from '../paxos/paxos.ts'
import { sameBallot, type Ballot } from '../paxos/ballot.ts'
import type { Effect, Moment, PaxosEvent, Proposal, RefusalReason } from '../paxos/effects.ts'
import type { LinkView } from '../paxos/link-view.ts'
import type { Message } from '../paxos/messages.ts'
import type { PaxosTuning } from '../paxos/options.ts'
import type { Checksum, Entry, EntryKind, RecoveredState, Role } from '../paxos/state.ts'
import type { LogStore, OffsetMark } from '../storage/log-store.ts'
import type { Loop, TurnTaker } from './loop.ts'
import type { StateMachine } from './state-machine.ts'
import { readAndSend } from './serve.ts'

/** What all replicas of one broker share. */
export interface ReplicaHost {
  readonly loop: Loop
  readonly store: LogStore
  readonly checksum: Checksum
  readonly bootNumber: number
  /** Bytes that wait to be proposed on this broker, of all groups. */
  readonly queued: { bytes: number; readonly bytesMax: number }
  send(to: BrokerId, group: GroupId, message: Message): void
  /** A broken invariant or a damaged entry: the broker stops with this sentence. */
  fatal(error: unknown): void
}

/** What a group's owner wants to hear. All calls are synchronous and come from the loop. */
export interface ReplicaListener<Result> {
  /** Before a proposal is appended: the last chance to write the leader's time into its body. */
  stamp(body: Uint8Array): void
  applied(entry: Entry, result: Result): void
  /** Everything that this turn applied has been told. */
  turnEnded(): void
  roleChanged(role: Role, ballot: Ballot, leader: BrokerId | undefined): void
}

/** The machine with the numbers that the index keeps beside its rows. */
export interface HostedMachine<Result> extends StateMachine<Result> {
  readonly nextOffset: number
  readonly lastAppendedAtMs: number
  /** Where the records of the entry applied last begin; undefined when it added none. */
  readonly mark: OffsetMark | undefined
}

export interface ReplicaOptions<Result> {
  readonly group: GroupId
  readonly self: ReplicaId
  readonly recovered: RecoveredState
  readonly machine: HostedMachine<Result>
  readonly tuning: PaxosTuning
  readonly host: ReplicaHost
  readonly listener: ReplicaListener<Result>
}

/** A value on its way: queued, then appended at a slot, then applied. */
interface Waiting<Result> {
  readonly kind: EntryKind
  readonly recordCount: number
  readonly body: Uint8Array
  readonly deadlineMs: number
  resolve(outcome: { result: Result; slot: Slot }): void
  reject(error: SynodError): void
}
interface Tap {
  readonly to: BrokerId
  readonly messages: Message[]
  readonly onMessage: () => void
}
interface Appended<Result> {
  readonly ballot: Ballot
  readonly waiting: Waiting<Result>
}

/** Messages that wait for a turn; more are dropped, which the protocol tolerates. */
const INBOX_MAX = 20_000
/** Proposals of one group that wait for the writer; more are refused as 'overloaded'. */
export const QUEUE_COUNT_MAX = 10_000

const REFUSALS: Record<RefusalReason, () => SynodError> = {
  'not-leader': () => new SynodError('no-leader', 'This broker does not lead the partition.'),
  'not-enough-in-sync': () =>
    new SynodError('not-enough-in-sync', 'Fewer replicas are in sync than the topic demands.', {
      retryAfterMs: 1_000,
    }),
  full: () =>
    new SynodError('overloaded', 'The partition has as much undecided work as it may.', {
      retryAfterMs: 200,
    }),
  stopping: () => new SynodError('draining', 'The broker is about to stop.', { retryAfterMs: 500 }),
}

/**
 * The host of one Paxos group on this broker: carries its effects out in the order and under the conditions that
 * `effects.ts` demands, and feeds its state machine.
 */
export class Replica<Result> implements TurnTaker {
  readonly group: GroupId
  readonly machine: HostedMachine<Result>
  readonly paxos: Paxos
  readonly #host: ReplicaHost
  readonly #listener: ReplicaListener<Result>
  readonly #inbox: PaxosEvent[] = []
  readonly #gated: { readonly after: number; readonly to: BrokerId; readonly message: Message }[] = []
  readonly #queue: Waiting<Result>[] = []
  readonly #appended = new Map<Slot, Appended<Result>>()
  readonly #offered = new Map<number, Waiting<Result>>()
  readonly #reads = new Map<number, { resolve(slot: Slot): void; reject(error: SynodError): void }>()
  readonly #taps = new Set<Tap>()
  #durableId = 0
  #token = 0
  #appliedSlot: Slot
  #isStopped = false

  constructor(options: ReplicaOptions<Result>) {
    this.group = options.group
    this.machine = options.machine
    this.#host = options.host
    this.#listener = options.listener
    this.#appliedSlot = options.recovered.commit
    this.paxos = new Paxos(
      {
        self: options.self,
        tuning: options.tuning,
        checksum: options.host.checksum,
        bootNumber: options.host.bootNumber,
      },
      options.recovered,
    )
  }

  get appliedSlot(): Slot {
    return this.#appliedSlot
  }

  get isLeader(): boolean {
    return this.paxos.role === 'leader'
  }

  receive(from: BrokerId, message: Message): void {
    if (this.#isStopped || this.#inbox.length >= INBOX_MAX) return
    this.#push({ kind: 'message', from, message })
  }

  links(links: LinkView): void {
    this.#push({ kind: 'links', links })
  }

  resign(): void {
    this.#push({ kind: 'resign' })
  }

  /** Proposes a value; resolves with what the state machine made of it. Rejects with a SynodError that tells the outcome. */
  propose(value: {
    kind: EntryKind
    recordCount: number
    body: Uint8Array
    timeoutMs: number
  }): Promise<{ result: Result; slot: Slot }> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(REFUSALS.stopping())
      if (!this.isLeader) return reject(REFUSALS['not-leader']())
      const { queued } = this.#host
      if (this.#queue.length >= QUEUE_COUNT_MAX || queued.bytes + value.body.length > queued.bytesMax)
        return reject(REFUSALS.full())
      const deadlineMs = this.#host.loop.clock.nowMs() + value.timeoutMs
      this.#queue.push({ ...value, deadlineMs, resolve, reject })
      queued.bytes += value.body.length
      this.#host.loop.wakeForProposals(this)
    })
  }

  /** Resolves once this replica leads, has passed its read barrier, and has applied all that was chosen when it was asked. */
  readBarrier(): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(REFUSALS.stopping())
      const token = ++this.#token
      this.#reads.set(token, { resolve, reject })
      this.#push({ kind: 'readIndex', token })
    })
  }

  /**
   * Feeds one message and returns what goes back to its sender, as a person sees it who speaks the protocol by hand. What
   * waits for the disk is waited for; an empty answer after `waitMs` means that the message changed nothing worth a word.
   */
  exchange(from: BrokerId, message: Message, waitMs: number): Promise<readonly Message[]> {
    return new Promise((resolve) => {
      const tap: Tap = { to: from, messages: [], onMessage: () => done() }
      const done = () => {
        timer.cancel()
        this.#taps.delete(tap)
        resolve(tap.messages)
      }
      const timer = this.#host.loop.clock.later(done, waitMs)
      this.#taps.add(tap)
      this.receive(from, message)
    })
  }

  takeTurn(moment: Moment): number | undefined {
    if (this.#isStopped) return undefined
    try {
      const events = this.#inbox.splice(0)
      for (const event of events) this.#run(this.paxos.step(event, moment))
      const deadlineMs = this.paxos.deadlineMs
      if (deadlineMs !== undefined && deadlineMs <= moment.nowMs)
        this.#run(this.paxos.step({ kind: 'tick' }, moment))
      this.#expire(moment.nowMs)
      this.#listener.turnEnded()
    } catch (error) {
      this.#host.fatal(error)
    }
    return this.#nextTurnMs()
  }

  offerProposals(moment: Moment): number | undefined {
    if (this.#isStopped || this.#queue.length === 0) return this.#nextTurnMs()
    try {
      const offered = this.#takeQueue()
      this.#run(
        this.paxos.step(
          { kind: 'propose', proposals: offered.map((waiting) => this.#proposal(waiting)) },
          moment,
        ),
      )
      this.#listener.turnEnded()
    } catch (error) {
      this.#host.fatal(error)
    }
    return this.#nextTurnMs()
  }

  /** Answers everybody who waits and takes no more turns. */
  stop(error: SynodError): void {
    this.#isStopped = true
    this.#host.loop.remove(this)
    for (const waiting of this.#takeQueue()) waiting.reject(error)
    for (const appended of this.#appended.values())
      appended.waiting.reject(outcomeUnknown('The replica stopped before the write was decided.'))
    this.#appended.clear()
    for (const read of this.#reads.values()) read.reject(error)
    this.#reads.clear()
  }

  #push(event: PaxosEvent): void {
    if (this.#isStopped) return
    this.#inbox.push(event)
    this.#host.loop.wake(this)
  }

  #takeQueue(): Waiting<Result>[] {
    const waiting = this.#queue.splice(0)
    for (const { body } of waiting) this.#host.queued.bytes -= body.length
    return waiting
  }

  #proposal(waiting: Waiting<Result>): Proposal {
    this.#listener.stamp(waiting.body)
    const token = ++this.#token
    this.#offered.set(token, waiting)
    const { kind, recordCount, body } = waiting
    return { token, kind, recordCount, body, crc: this.#host.checksum(body, 0) }
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        return this.#host.store.append({
          group: this.group,
          writes: effect.writes,
          onDurable: () => this.#durable(effect.id),
        })
      case 'send':
        if (effect.after <= this.#durableId) this.#send(effect.to, effect.message)
        else this.#gated.push(effect)
        return
      case 'apply':
        for (const entry of effect.entries) this.#apply(entry)
        return
      case 'appended':
        return this.#isAppended(effect.token, effect.slot)
      case 'refused':
        this.#offered.get(effect.token)?.reject(REFUSALS[effect.reason]())
        this.#offered.delete(effect.token)
        return
      case 'readReady':
        this.#reads.get(effect.token)?.resolve(effect.slot)
        this.#reads.delete(effect.token)
        return
      case 'readRefused':
        this.#reads.get(effect.token)?.reject(REFUSALS['not-leader']())
        this.#reads.delete(effect.token)
        return
      case 'serve':
        return void readAndSend(this.#host, this.group, effect)
      case 'role':
        return this.#roleChanged(effect)
    }
  }

  #send(to: BrokerId, message: Message): void {
    for (const tap of this.#taps) {
      if (tap.to !== to) continue
      tap.messages.push(message)
      tap.onMessage()
    }
    this.#host.send(to, this.group, message)
  }

  #durable(id: number): void {
    if (this.#isStopped) return
    invariant(
      id === this.#durableId + 1,
      `Persist ${id} of group ${this.group} became durable after ${this.#durableId}.`,
    )
    this.#durableId = id
    this.#release(id)
    this.#push({ kind: 'persisted', id })
  }

  /** Sends what waited for this persist. A later message may wait for less than an earlier one, so all are looked at. */
  #release(durableId: number): void {
    const gated = this.#gated.splice(0)
    for (const send of gated) {
      if (send.after <= durableId) this.#send(send.to, send.message)
      else this.#gated.push(send)
    }
  }

  #isAppended(token: number, slot: Slot): void {
    const waiting = this.#offered.get(token)
    this.#offered.delete(token)
    if (waiting) this.#appended.set(slot, { ballot: this.paxos.ballot, waiting })
  }

  #apply(entry: Entry): void {
    invariant(
      entry.slot === this.#appliedSlot + 1,
      `Slot ${entry.slot} of group ${this.group} applied after ${this.#appliedSlot}.`,
    )
    this.#appliedSlot = entry.slot
    const result = this.machine.apply(entry)
    const { nextOffset, lastAppendedAtMs, mark } = this.machine
    this.#host.store.indexApplied({
      group: this.group,
      slot: entry.slot,
      nextOffset,
      lastAppendedAtMs,
      marks: mark === undefined ? [] : [mark],
      rows: this.machine.takeRows(),
    })
    this.#listener.applied(entry, result)
    const appended = this.#appended.get(entry.slot)
    if (appended === undefined) return
    this.#appended.delete(entry.slot)
    if (sameBallot(appended.ballot, entry.origin)) appended.waiting.resolve({ result, slot: entry.slot })
    // Another value was chosen at the slot, so ours never can be: a certain no.
    else appended.waiting.reject(REFUSALS['not-leader']())
  }

  #roleChanged(effect: Extract<Effect, { kind: 'role' }>): void {
    if (effect.role !== 'leader') {
      for (const waiting of this.#takeQueue()) waiting.reject(REFUSALS['not-leader']())
    }
    this.#listener.roleChanged(effect.role, effect.ballot, effect.leader)
  }

  /** Appended values are in slot order and all wait equally long, so the first is the next to expire. */
  #expire(nowMs: number): void {
    while (this.#queue.length > 0 && this.#queue[0]!.deadlineMs <= nowMs) {
      const waiting = this.#queue.shift()!
      this.#host.queued.bytes -= waiting.body.length
      waiting.reject(
        new SynodError('overloaded', 'The write waited too long for the disk; nothing was stored.', {
          retryAfterMs: 1_000,
        }),
      )
    }
    for (const [slot, appended] of this.#appended) {
      if (appended.waiting.deadlineMs > nowMs) return
      this.#appended.delete(slot)
      appended.waiting.reject(outcomeUnknown('The write was not decided in time; it may still be stored.'))
    }
  }

  #nextTurnMs(): number | undefined {
    if (this.#isStopped) return undefined
    let next = this.paxos.deadlineMs ?? Infinity
    if (this.#queue.length > 0) next = Math.min(next, this.#queue[0]!.deadlineMs)
    for (const appended of this.#appended.values()) {
      next = Math.min(next, appended.waiting.deadlineMs)
      break
    }
    return next === Infinity ? undefined : next
  }
}

function outcomeUnknown(detail: string): SynodError {
  return new SynodError('outcome-unknown', detail, {
    hint: 'Send it again with the same Idempotency-Key: it is then stored once.',
  })
}
