import { slot, type BrokerId, type GroupId, type Replica as ReplicaId, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { SynodError } from '../errors.ts'
import { Paxos } from '../paxos/paxos.ts'
import type { Effect, Moment, PaxosEvent, Proposal } from '../paxos/effects.ts'
import type { LinkView } from '../paxos/link-view.ts'
import type { Message } from '../paxos/messages.ts'
import type { Standing } from '../paxos/standing.ts'
import { ENTRY_KIND, type Entry, type EntryKind } from '../paxos/state.ts'
import { decodeRows, encodeRows } from '../storage/checkpoint-rows.ts'
import type { DamageReport, OffsetMark, Row } from '../storage/log-store.ts'
import { notLeader } from './forward.ts'
import type { TurnTaker } from './loop.ts'
import { Proposals, REFUSALS, type Waiting } from './proposals.ts'
import { Reconfigurations, type Reconfigured } from './reconfigurations.ts'
import { Transfers } from './transfers.ts'
import type { HostedMachine, ReplicaHost, ReplicaListener, ReplicaOptions } from './replica-host.ts'
import { readAndSend, readForRepair, readPartAndSend } from './serve.ts'

interface Tap {
  readonly to: BrokerId
  readonly messages: Message[]
  readonly onMessage: () => void
}
/** Messages that wait for a turn; more are dropped, which the protocol tolerates. */
export const INBOX_MAX = 20_000
/** Reads that wait for their barrier; more are refused as 'overloaded'. */
export const READS_MAX = 4_096
/** People who speak the protocol by hand, at once. */
export const TAPS_MAX = 16

/**
 * The host of one Paxos group on this broker: carries its effects out in the order and under the conditions that
 * `effects.ts` demands, and feeds its state machine.
 */
export class Replica<Result> implements TurnTaker {
  readonly group: GroupId
  readonly machine: HostedMachine<Result>
  readonly paxos: Paxos
  readonly #self: BrokerId
  readonly #host: ReplicaHost
  readonly #listener: ReplicaListener<Result>
  readonly #inbox: PaxosEvent[] = []
  /** Bounded by the core: one message a persist and follower, and a follower's window. */
  readonly #gated: Extract<Effect, { kind: 'send' | 'serve' | 'serveReset' }>[] = []
  readonly #proposals: Proposals<Result>
  readonly #reads = new Map<number, { resolve(slot: Slot): void; reject(error: SynodError): void }>()
  readonly #transfers = new Transfers()
  readonly #reconfigurations = new Reconfigurations()
  readonly #taps = new Set<Tap>()
  #durableId = 0
  #repairedCount = 0
  #token = 0
  /** A proposal whose way is being timed. */
  #sampled: { readonly slot: Slot; readonly atMs: number } | undefined
  #appliedSlot: Slot
  #logBytes: number
  /** Proposals wait because another voter or configuration is about to take over. */
  #isHolding = false
  #isStopped = false

  constructor(options: ReplicaOptions<Result>) {
    this.group = options.group
    this.machine = options.machine
    this.#self = options.self.broker
    this.#host = options.host
    this.#listener = options.listener
    this.#proposals = new Proposals(options.host.queued)
    this.#appliedSlot = options.recovered.commit
    this.#logBytes = options.logBytes
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

  /** Bytes of all bodies applied so far, trimmed ones included: a function of the log. */
  get logBytes(): number {
    return this.#logBytes
  }

  get isLeader(): boolean {
    return this.paxos.role === 'leader'
  }

  /** Entries that were damaged here and are whole again, since the start. */
  get repairedCount(): number {
    return this.#repairedCount
  }

  receive(from: BrokerId, message: Message): void {
    if (this.#isStopped || this.#inbox.length >= INBOX_MAX) return
    this.#push({ kind: 'message', from, message })
  }

  links(links: LinkView): void {
    this.#push({ kind: 'links', links })
  }

  /** The store cannot give back what it holds of this group. */
  damaged({ entries, isStateLost }: DamageReport): void {
    this.#push({ kind: 'damaged', entries, isStateLost })
  }

  /** Until it is told one that lets it vote it promises and accepts nothing. */
  standing(standing: Standing): void {
    this.#push({ kind: 'standing', standing })
  }

  /** Another broker knows everything up to `commit` to be chosen. */
  told(from: BrokerId, commit: Slot): void {
    this.#push({ kind: 'told', from, commit })
  }

  /** Lets a turn end soon, for the owner's sake. */
  wake(): void {
    if (!this.#isStopped) this.#host.loop.wake(this)
  }

  resign(): void {
    this.#push({ kind: 'resign' })
  }

  /**
   * Hands leadership to another voter; resolves when that has begun. Until the other leads, or the attempt is given up, what
   * is proposed waits. Errors: 'no-leader', 'not-enough-in-sync' when the target cannot lead now, 'overloaded' when another
   * transfer is under way.
   */
  transfer(to: BrokerId): Promise<void> {
    if (this.#isStopped) return Promise.reject(REFUSALS.stopping())
    const token = ++this.#token
    const started = this.#transfers.ask(token, to)
    this.#push({ kind: 'transfer', token, to })
    return started
  }

  /**
   * Changes who votes; resolves when the configuration with these voters is in force, at once when it is so already. A leader
   * of it comes a moment later, here or elsewhere: `paxos.configuration.number` and `ballot.config` of the one that leads say
   * so, and only then may the replicas of dropped voters be deleted (consensus 1.12). What is proposed meanwhile waits.
   * With `after` it ends that configuration and no other ('etag-mismatch'), even when the voters stay.
   * Errors: 'no-leader'; 'overloaded' when a transfer or another change is under way; 'not-enough-in-sync', also when a new
   * voter does not learn yet or lags; 'malformed-request' for voters that can be none; 'outcome-unknown' after the time.
   */
  reconfigure(voters: readonly ReplicaId[], timeoutMs: number, after?: number): Promise<Reconfigured> {
    if (this.#isStopped) return Promise.reject(REFUSALS.stopping())
    const token = ++this.#token
    const done = this.#reconfigurations.ask(token, timeoutMs, this.#host.loop.clock)
    this.#push({ kind: 'reconfigure', token, voters, after })
    return done
  }

  /** Who learns beside the voters of configuration `since`, perhaps this replica. The placement says it, at each start and change. */
  setLearners(replicas: readonly ReplicaId[], since?: number): void {
    this.#push({ kind: 'learners', replicas, since })
    this.#lookAround()
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
      const { loop } = this.#host
      const queuedAtMs = loop.clock.nowMs()
      const deadlineMs = queuedAtMs + value.timeoutMs
      const { kind, recordCount, body } = value
      this.#proposals.add({ kind, recordCount, body, queuedAtMs, deadlineMs, resolve, reject })
      loop.wakeForProposals(this, deadlineMs)
    })
  }

  /**
   * Resolves when a quorum has confirmed that this replica leads, with the slot up to which all was chosen when it was asked;
   * that much is applied then. Errors: 'no-leader', also from a new leader that does not know yet what it took over;
   * 'overloaded'.
   */
  readBarrier(): Promise<Slot> {
    return new Promise((resolve, reject) => {
      if (this.#isStopped) return reject(REFUSALS.stopping())
      if (this.#reads.size >= READS_MAX) return reject(REFUSALS.full())
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
    return new Promise((resolve, reject) => {
      if (this.#taps.size >= TAPS_MAX) return reject(REFUSALS.full())
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
      this.#proposals.expire(moment.nowMs)
      if (this.#isHolding && !this.#hasToHold) this.#offerAgain()
      this.#listener.turnEnded()
    } catch (error) {
      this.#host.fatal(error)
    }
    return this.#nextTurnMs()
  }

  offerProposals(moment: Moment): number | undefined {
    if (this.#isStopped || this.#proposals.queuedCount === 0) return this.#nextTurnMs()
    if (this.#hasToHold) {
      this.#isHolding = true
      return this.#nextTurnMs()
    }
    try {
      const queue = this.#proposals.takeQueue()
      this.#host.stages.queue(moment.nowMs - queue[0]!.queuedAtMs)
      const offered = this.#listener.join?.(queue) ?? queue
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
    this.#proposals.stop(error)
    this.#transfers.stop(error)
    this.#reconfigurations.stop(error)
    for (const read of this.#reads.values()) read.reject(error)
    this.#reads.clear()
  }

  /** Somebody is about to lead, perhaps this replica again: then what waits need not ask again. */
  get #hasToHold(): boolean {
    const { paxos } = this
    return paxos.transferTarget !== undefined || paxos.isReconfiguring || paxos.role === 'candidate'
  }

  /** The handover is over. Where it came off nothing waits any more. */
  #offerAgain(): void {
    this.#isHolding = false
    const { deadlineMs } = this.#proposals
    if (this.#proposals.queuedCount > 0) this.#host.loop.wakeForProposals(this, deadlineMs ?? Infinity)
  }

  #push(event: PaxosEvent): void {
    if (this.#isStopped) return
    this.#inbox.push(event)
    this.#host.loop.wake(this)
  }

  #proposal(waiting: Waiting<Result>): Proposal {
    if (waiting.kind === ENTRY_KIND.DATA) this.#listener.stamp(waiting.body)
    const token = ++this.#token
    this.#proposals.offer(token, waiting)
    const { kind, recordCount, body } = waiting
    return { token, kind, recordCount, body, crc: this.#host.checksum(body, 0) }
  }

  #run(effects: readonly Effect[]): void {
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        if (effect.writes[0]?.kind === 'repair') this.#repairedCount++
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
        return this.#applyAll(effect.entries)
      case 'appended':
        this.#sampled ??= { slot: effect.slot, atMs: this.#host.loop.clock.nowMs() }
        return this.#proposals.appended(effect.token, effect.slot, this.paxos.ballot)
      case 'refused':
        return this.#proposals.refused(effect.token, effect.reason)
      case 'readReady':
        this.#reads.get(effect.token)?.resolve(effect.slot)
        this.#reads.delete(effect.token)
        return
      case 'readRefused':
        this.#reads.get(effect.token)?.reject(REFUSALS['not-leader']())
        this.#reads.delete(effect.token)
        return
      case 'transferStarted':
        return this.#transfers.started(effect.token)
      case 'transferRefused':
        return this.#transfers.refused(effect.token, effect.reason)
      case 'reconfigured':
        return this.#reconfigurations.done(effect.token, effect.number)
      case 'reconfigureRefused':
        return this.#reconfigurations.refused(effect.token, effect.reason)
      case 'configured':
        return this.#lookAround()
      case 'serve':
        if (effect.after <= this.#durableId) void readAndSend(this.#host, this.group, effect)
        else this.#gated.push(effect)
        return
      case 'serveRepair':
        void readForRepair(this.#host, this.group, effect)
        return
      case 'serveReset':
        if (effect.after <= this.#durableId) void readPartAndSend(this.#host, this.group, effect)
        else this.#gated.push(effect)
        return
      case 'reset':
        return this.#reset(effect)
      case 'role':
        return this.#roleChanged(effect)
    }
  }

  /** Of brokers that are among its voters or learners only now, it has not been told. */
  #lookAround(): void {
    const links = this.#host.links()
    if (links !== undefined) this.links(links)
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
    this.#release()
    this.#push({ kind: 'persisted', id })
  }

  /** Carries out what waited for a persist. A later effect may wait for less than an earlier one, so all are looked at. */
  #release(): void {
    for (const effect of this.#gated.splice(0)) this.#carryOut(effect)
  }

  #applyAll(entries: readonly Entry[]): void {
    const { loop, stages } = this.#host
    const startedAtMs = loop.clock.nowMs()
    for (const entry of entries) this.#apply(entry)
    const nowMs = loop.clock.nowMs()
    stages.apply(nowMs - startedAtMs)
    if (this.#sampled === undefined || this.#appliedSlot < this.#sampled.slot) return
    stages.replication(nowMs - this.#sampled.atMs)
    this.#sampled = undefined
  }

  #apply(entry: Entry): void {
    invariant(
      entry.slot === this.#appliedSlot + 1,
      `Slot ${entry.slot} of group ${this.group} applied after ${this.#appliedSlot}.`,
    )
    this.#appliedSlot = entry.slot
    this.#logBytes += entry.body.length
    const result = this.machine.apply(entry)
    // Told first: what an entry makes others write (a new partition's first state) is queued before the index may say so.
    this.#listener.applied(entry, result)
    const { mark } = this.machine
    this.#indexApplied(mark === undefined ? [] : [mark], this.machine.takeRows())
    if (entry.kind === ENTRY_KIND.TRIM) this.#tellCheckpoint(entry.slot)
    this.#proposals.applied(entry.slot, entry.origin, result)
    this.#tellPlace(entry.slot, entry.chain)
  }

  #tellPlace(at: Slot, chain: number): void {
    const { nextOffset } = this.machine
    this.#host.applied({ group: this.group, slot: at, chain, nextOffset })
  }

  #indexApplied(marks: readonly OffsetMark[], rows: readonly Row[], isReset = false): void {
    const { nextOffset, lastAppendedAtMs } = this.machine
    this.#host.store.indexApplied({
      group: this.group,
      slot: this.#appliedSlot,
      nextOffset,
      lastAppendedAtMs,
      logBytes: this.#logBytes,
      marks,
      rows,
      isReset,
    })
  }

  /** What the machine is right after a mark, before any later entry changes it. */
  #tellCheckpoint(at: Slot): void {
    const rows = this.machine.allRows?.()
    if (rows === undefined) return
    const { nextOffset: offset, lastAppendedAtMs } = this.machine
    const machine = { offset, lastAppendedAtMs, logBytes: this.#logBytes }
    this.#push({ kind: 'checkpointed', slot: at, machine, parts: encodeRows(rows) })
  }

  #reset({ checkpoint, parts }: Extract<Effect, { kind: 'reset' }>): void {
    const rows = decodeRows(parts)
    this.#appliedSlot = slot(checkpoint.slot - 1)
    this.#logBytes = checkpoint.logBytes
    const { offset: nextOffset, lastAppendedAtMs } = checkpoint
    this.machine.restore(rows, { slot: this.#appliedSlot, nextOffset, lastAppendedAtMs })
    this.#indexApplied([], rows, true)
    this.#proposals.passedOver(this.#appliedSlot)
    this.#tellPlace(this.#appliedSlot, checkpoint.chain)
    this.#listener.wasReset?.()
  }

  /** What waits was never appended, for certain. Who asks again finds the one who was promised most likely leading. */
  #roleChanged(effect: Extract<Effect, { kind: 'role' }>): void {
    if (effect.role !== 'leader' && effect.role !== 'candidate') {
      const { broker } = this.paxos.promised
      const next = effect.leader ?? (broker === this.#self ? undefined : broker)
      this.#proposals.refuseQueued(() => notLeader(next))
    }
    this.#listener.roleChanged(effect.role, effect.ballot, effect.leader)
  }

  #nextTurnMs(): number | undefined {
    if (this.#isStopped) return undefined
    const next = Math.min(
      this.paxos.deadlineMs ?? Infinity,
      this.#proposals.deadlineMs ?? Infinity,
      this.#listener.dueMs?.() ?? Infinity,
    )
    return next === Infinity ? undefined : next
  }
}
