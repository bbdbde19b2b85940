import { crc32 } from 'node:zlib'
import type { Place } from '../../src/types/digest.ts'
import { slot, type BrokerId, type GroupId, type Slot } from '../../src/types/ids.ts'
import { unreachable } from '../../src/types/invariant.ts'
import { sameBallot, type Ballot } from '../../src/paxos/ballot.ts'
import type { Effect, PaxosEvent, Proposal, Write } from '../../src/paxos/effects.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { Paxos } from '../../src/paxos/paxos.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { encodeTrim } from '../../src/paxos/trim-body.ts'
import { setAppendedAt } from '../../src/partition/record-batch.ts'
import type { AppliedBatch, RecordMachine } from '../../src/partition/record-machine.ts'
import { decodeRows, encodeRows } from '../../src/storage/checkpoint-rows.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { TrimmedSlotError } from '../../src/storage/storage-errors.ts'
import { encodeRequest, type Answer, type Request } from './requests.ts'
import type { Mutant } from './mutants.ts'
import type { Oracles } from './oracles.ts'

/** What a group needs of the broker that it lives on. */
export interface Surroundings {
  readonly id: BrokerId
  readonly store: JournaledStore
  readonly oracles: Oracles
  readonly syncChunkBytesMax: number
  readonly partBytesMax: number
  /** The deliberate fault of this run. */
  readonly mutant: Mutant
  nowMs(): number
  wallMs(): number
  random(): number
  transmit(to: BrokerId, group: GroupId, message: Message): void
  /** The store was asked for something: see `Scene`. */
  stir(): void
  stepped(host: GroupHost): void
  noteApply(host: GroupHost, entry: Entry): void
  /** A replica stands here now. */
  applied(place: Place): void
  noteRole(host: GroupHost, effect: Extract<Effect, { kind: 'role' }>): void
  /** Runs the rest of something asynchronous, unless the broker has stopped meanwhile. */
  resume(run: () => void): void
  failed(error: unknown): void
}

interface Waiting {
  readonly request: Request
  readonly body: Uint8Array
  readonly answer: (answer: Answer) => void
}

interface Appended {
  readonly ballot: Ballot
  readonly waiting: Waiting
}

/** Carries out the effects of one Paxos on one broker, as `effects.ts` demands, and feeds its state machine. */
export class GroupHost {
  readonly group: GroupId
  readonly paxos: Paxos
  readonly machine: RecordMachine
  appliedSlot: Slot
  private logBytes: number
  /** When its next tick is due, in virtual time; kept by the broker. */
  tickAtMs = Infinity
  /** Writes handed to the store and not confirmed yet. */
  readonly pending: (readonly Write[])[] = []
  private readonly broker: Surroundings
  private readonly gated: Extract<Effect, { kind: 'send' | 'serve' | 'serveReset' }>[] = []
  /** Checkpoints that the core has not been told; now and then one waits for the next step. */
  private readonly untold: PaxosEvent[] = []
  private readonly offered = new Map<number, Waiting>()
  private readonly appended = new Map<Slot, Appended>()
  private readonly reads = new Map<number, number>()
  private readonly early: number[] = []
  private queue: Waiting[] = []
  private durableId = 0
  private isStopped = false
  private token = 0

  constructor(
    parts: { readonly group: GroupId; readonly paxos: Paxos; readonly machine: RecordMachine },
    applied: { readonly slot: Slot; readonly logBytes: number },
    broker: Surroundings,
  ) {
    this.group = parts.group
    this.paxos = parts.paxos
    this.machine = parts.machine
    this.appliedSlot = applied.slot
    this.logBytes = applied.logBytes
    this.broker = broker
  }

  /** The replica is to be deleted: what is still on its way to the disk comes there, and nothing else happens. */
  stop(): void {
    this.isStopped = true
    for (const waiting of this.queue.splice(0)) waiting.answer({ kind: 'refused', leader: undefined })
  }

  step(event: PaxosEvent): void {
    if (this.isStopped) return
    const { broker } = this
    for (const effect of this.paxos.step(event, { nowMs: broker.nowMs(), random: broker.random() }))
      this.carryOut(effect)
    for (let event = this.untold.shift(); event !== undefined; event = this.untold.shift()) this.step(event)
    for (let id = this.early.shift(); id !== undefined; id = this.early.shift())
      this.step({ kind: 'persisted', id })
    broker.stepped(this)
  }

  /** A client's request arrives; it is proposed now or, when `isCoalesced`, with others by `offer`. */
  produce(request: Request, answer: (answer: Answer) => void): void {
    if (this.paxos.role !== 'leader') return answer({ kind: 'refused', leader: this.paxos.leader })
    const body = encodeRequest(request)
    this.queue.push({ request, body, answer })
  }

  get isWaitingToPropose(): boolean {
    return this.queue.length > 0
  }

  offer(): void {
    const offered = this.queue
    this.queue = []
    const proposals: Proposal[] = []
    for (const waiting of offered) {
      setAppendedAt(waiting.body, Math.max(this.machine.lastAppendedAtMs, this.broker.wallMs()))
      const token = ++this.token
      this.offered.set(token, waiting)
      const { recordCount } = waiting.request
      proposals.push({
        token,
        kind: ENTRY_KIND.DATA,
        recordCount,
        body: waiting.body,
        crc: crc32(waiting.body),
      })
    }
    if (proposals.length > 0) this.step({ kind: 'propose', proposals })
  }

  /** Another broker knows this much to be chosen. */
  told(from: BrokerId, commit: Slot): void {
    this.step({ kind: 'told', from, commit })
  }

  /** Asks for a linearizable read. */
  read(): void {
    const token = ++this.token
    const { oracles, mutant } = this.broker
    const applied = oracles.appliedThrough(this.group)
    if (mutant.isReadAlone === true) {
      if (this.paxos.role === 'leader') oracles.read(applied, this.paxos.commit)
      return
    }
    this.reads.set(token, applied)
    this.step({ kind: 'readIndex', token })
  }

  private carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'persist':
        return this.persist(effect.id, effect.writes)
      case 'send':
        if (effect.after <= this.durableId || this.broker.mutant.leavesEarly?.(effect.message) === true)
          this.leave(effect)
        else this.gated.push(effect)
        return
      case 'apply':
        for (const entry of effect.entries) this.apply(entry)
        return
      case 'appended':
        return this.isAppended(effect.token, effect.slot)
      case 'refused':
        this.offered.get(effect.token)?.answer({ kind: 'refused', leader: this.paxos.leader })
        this.offered.delete(effect.token)
        return
      case 'readReady':
        this.broker.oracles.read(this.reads.get(effect.token) ?? Infinity, effect.slot)
        this.reads.delete(effect.token)
        return
      case 'readRefused':
        this.reads.delete(effect.token)
        return
      case 'serve':
        if (effect.after <= this.durableId) this.serve(effect)
        else this.gated.push(effect)
        return
      case 'serveReset':
        if (effect.after <= this.durableId) this.serveReset(effect)
        else this.gated.push(effect)
        return
      case 'reset':
        return this.reset(effect)
      case 'transferStarted':
      case 'transferRefused':
      case 'reconfigured':
      case 'reconfigureRefused':
      case 'configured':
        return
      case 'role':
        if (effect.role !== 'leader')
          for (const waiting of this.queue.splice(0))
            waiting.answer({ kind: 'refused', leader: effect.leader })
        return this.broker.noteRole(this, effect)
      default:
        return unreachable(effect)
    }
  }

  private persist(id: number, writes: readonly Write[]): void {
    const { broker, group } = this
    const throughBefore = broker.oracles.of(group).truth.writtenOf(broker.id).through
    broker.oracles.wrote(broker.id, group, writes)
    this.pending.push(writes)
    broker.stir()
    const stored = broker.mutant.altersWrites?.(writes, throughBefore) ?? writes
    broker.store.append({ group, writes: stored, onDurable: () => broker.resume(() => this.durable(id)) })
    if (broker.mutant.isConfirmedEarly === true) this.early.push(id)
  }

  private durable(id: number): void {
    const { broker } = this
    const writes = this.pending.shift() as readonly Write[]
    broker.oracles.madeDurable(broker.id, this.group, writes)
    this.durableId = id
    if (this.isStopped) return
    while (this.gated.length > 0 && (this.gated[0]?.after ?? Infinity) <= id)
      this.carryOut(this.gated.shift() as (typeof this.gated)[0])
    if (broker.mutant.isConfirmedEarly !== true) this.step({ kind: 'persisted', id })
  }

  private leave(effect: Extract<Effect, { kind: 'send' }>): void {
    const { broker } = this
    const message = broker.mutant.altersMessage?.(effect.message, this.paxos) ?? effect.message
    broker.oracles.left(broker.id, this.group, message)
    // Receivers get the sender's own objects: nobody may change what was sent.
    if ('entries' in message) Object.freeze(message.entries)
    broker.transmit(effect.to, this.group, Object.freeze(message))
  }

  private apply(entry: Entry): void {
    const { broker, machine, group } = this
    if (entry.slot !== this.appliedSlot + 1)
      throw new Error(`Slot ${entry.slot} is applied after ${this.appliedSlot}.`)
    this.appliedSlot = entry.slot
    this.logBytes += entry.body.length
    const result = machine.apply(entry)
    const { nextOffset, lastAppendedAtMs, mark } = machine
    const { logBytes } = this
    broker.oracles.applied(broker.id, group, entry, result, nextOffset)
    broker.noteApply(this, entry)
    const marks = mark === undefined ? [] : [mark]
    broker.store.indexApplied({
      group,
      slot: entry.slot,
      nextOffset,
      lastAppendedAtMs,
      logBytes,
      marks,
      rows: machine.takeRows(),
    })
    broker.applied({ group, slot: entry.slot, chain: entry.chain, nextOffset })
    if (entry.kind === ENTRY_KIND.TRIM) {
      const parts = encodeRows(machine.allRows(), broker.partBytesMax)
      const facts = { offset: nextOffset, lastAppendedAtMs, logBytes }
      this.untold.push({ kind: 'checkpointed', slot: entry.slot, machine: facts, parts })
    }
    const appended = this.appended.get(entry.slot)
    if (appended === undefined) return
    this.appended.delete(entry.slot)
    this.answer(appended.waiting, sameBallot(appended.ballot, entry.origin) ? result : undefined)
  }

  /** The machine becomes what it was at the checkpoint. What stood at the slots below was decided, nobody learns how. */
  private reset({ checkpoint, parts }: Extract<Effect, { kind: 'reset' }>): void {
    const { broker, machine, group } = this
    const { offset: nextOffset, lastAppendedAtMs, logBytes } = checkpoint
    const rows = decodeRows(parts)
    this.appliedSlot = slot(checkpoint.slot - 1)
    this.logBytes = logBytes
    machine.restore(rows, { slot: this.appliedSlot, nextOffset, lastAppendedAtMs })
    broker.oracles.resetTo(group, checkpoint)
    broker.store.indexApplied({
      group,
      slot: this.appliedSlot,
      nextOffset,
      lastAppendedAtMs,
      logBytes,
      marks: [],
      rows,
      isReset: true,
    })
    broker.applied({ group, slot: this.appliedSlot, chain: checkpoint.chain, nextOffset })
    for (const [at, { waiting }] of this.appended) {
      if (at > this.appliedSlot) continue
      this.appended.delete(at)
      waiting.answer({ kind: 'unknown' })
    }
  }

  /** Proposes a mark that trims up to an earlier one, or does not. */
  trim(upTo: number): void {
    const body = encodeTrim({ upTo, beforeOffset: 0 })
    const proposal = { token: ++this.token, kind: ENTRY_KIND.TRIM, recordCount: 0, body, crc: crc32(body) }
    this.step({ kind: 'propose', proposals: [proposal] })
  }

  /** `result` undefined: another value was chosen at its slot, so it never will be. */
  private answer({ request, answer }: Waiting, result: AppliedBatch | undefined): void {
    if (result?.kind === 'appended' || result?.kind === 'duplicate') {
      this.broker.oracles.acknowledged(this.group, request, result.baseOffset)
      return answer({ kind: 'stored', baseOffset: result.baseOffset })
    }
    answer({ kind: 'refused', leader: this.paxos.leader })
  }

  private isAppended(token: number, at: Slot): void {
    const waiting = this.offered.get(token)
    this.offered.delete(token)
    if (waiting === undefined) return
    const older = this.appended.get(at)
    if (older !== undefined) older.waiting.answer({ kind: 'unknown' })
    this.appended.set(at, { ballot: this.paxos.ballot, waiting })
  }

  private serveReset(effect: Extract<Effect, { kind: 'serveReset' }>): void {
    const { broker, group } = this
    const { to, checkpoint, part } = effect
    broker.stir()
    const isEmpty = checkpoint.partCount === 0
    const found = isEmpty
      ? Promise.resolve(new Uint8Array(0))
      : broker.store.readPart(group, checkpoint.slot, part)
    found.then(
      (stored) =>
        broker.resume(() => {
          // The log was trimmed further meanwhile: the one who asked asks again.
          if (stored === undefined || this.isStopped) return
          const rows = broker.mutant.isTableLate === true && part === 0 ? this.tableNow() : stored
          const message: Message = { kind: 'syncReset', checkpoint, part, rows, crc: crc32(rows) }
          broker.oracles.left(broker.id, group, message)
          broker.transmit(to, group, message)
        }),
      (error: unknown) => {
        if (!this.isStopped) broker.failed(error)
      },
    )
  }

  private tableNow(): Uint8Array {
    return encodeRows(this.machine.allRows())[0] ?? new Uint8Array(0)
  }

  private serve(effect: Extract<Effect, { kind: 'serve' }>): void {
    const { broker, group } = this
    const { to, fromSlot, commit } = effect
    broker.stir()
    broker.store.readEntries(group, fromSlot, commit, broker.syncChunkBytesMax).then(
      (entries) =>
        broker.resume(() => {
          if (this.isStopped) return
          // Chosen by others and still on its way to the own disk: the one who asked asks again.
          if (entries.length === 0) return
          const message: Message = { kind: 'syncChunk', fromSlot, entries, commit }
          broker.oracles.left(broker.id, group, message)
          broker.transmit(to, group, message)
        }),
      (error: unknown) => {
        if (!this.isStopped && !(error instanceof TrimmedSlotError)) broker.failed(error)
      },
    )
  }
}
