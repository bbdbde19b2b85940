import type { BrokerId, Slot } from '../types/ids.ts'
import { invariant, unreachable } from '../types/invariant.ts'
import { isSilenced, onStanding } from './admission.ts'
import { onAccept, onAcceptSync, onLearn, onPrepare, passesGate } from './acceptor.ts'
import { sameBallot, type Ballot } from './ballot.ts'
import { candidateTick, onOwnPromiseDurable, onPromise } from './campaign.ts'
import { Core, NEVER } from './core.ts'
import type { Effect, Moment, PaxosEvent } from './effects.ts'
import { electionTick, onCanvass, onEndorse, onLinks, onNack, onRefuse, onResign } from './election.ts'
import { assertStepInvariants } from './invariants.ts'
import { restTick, serveChosen } from './learner.ts'
import type { Message, MessageKind } from './messages.ts'
import type { PaxosOptions, PaxosTuning, VoterProgress } from './options.ts'
import { countInSync, describeProgress } from './progress.ts'
import { onAccepted, onOwnDurable, onPropose } from './proposer.ts'
import { hasPassedBarrier, onReadAck, onReadIndex, onReadProbe, readsTick } from './reads.ts'
import { beginConfiguration, noteProgress, onLearners, onReconfigure } from './reconfigure.ts'
import { leaderTick, onPrepareRequest, resign } from './replication.ts'
import {
  onDamaged,
  onRepairRequest,
  onRepairResponse,
  onRepairTrimmed,
  repairTick,
  statusOf,
} from './repair.ts'
import { Rules } from './rules.ts'
import type { Checkpoint, Configuration, RecoveredState, ReplicaStatus, Role } from './state.ts'
import { onSyncChunk, onSyncRequired, onSyncReset, onTold, pullTick } from './synchronize.ts'
import { advanceTransfer, onTransfer, onTransferNow, watchTransfer } from './transfer.ts'
import { onCheckpointed } from './trim.ts'

/** About what is chosen, or a copy that its chain value proves: no vote rests on the answer. */
const HARMLESS: ReadonlySet<MessageKind> = new Set([
  'syncRequest',
  'repairRequest',
  'repairResponse',
  'repairTrimmed',
])

/**
 * One replica of one group: a value machine without I/O, clock or chance (consensus 1.4). The same state and the same
 * events give the same effects. The host feeds events one at a time and carries the effects out in order.
 */
export class Paxos {
  readonly #core: Core
  #announcedRole: Role
  #announcedBallot: Ballot
  #announcedLeader: BrokerId | undefined

  constructor(options: PaxosOptions, recovered: RecoveredState) {
    this.#core = new Core(options, recovered, this.rules())
    this.#announcedBallot = this.#core.ballot
    this.#announcedRole = this.role
  }

  /** The rules of this replica. Called once, by the constructor; only a proof that the simulator can fail overrides it. */
  protected rules(): Rules {
    return new Rules()
  }

  /** Takes one event. Throws InvariantError when the replica contradicts itself; it must not be used after that. */
  step(event: PaxosEvent, moment: Moment): readonly Effect[] {
    const core = this.#core
    const promisedBefore = core.promised
    core.begin(moment)
    this.#dispatch(event)
    beginConfiguration(core)
    this.#announce()
    assertStepInvariants(promisedBefore, {
      promised: core.promised,
      acceptedBallot: core.acceptedBallot,
      logStartSlot: core.logStart.slot,
      tailStart: core.log.start,
      commit: core.log.commit,
      through: core.log.through,
      role: core.role,
      ballot: core.ballot,
      adopted: core.leadership?.adopted,
    })
    const { effects } = core
    core.effects = []
    return effects
  }

  #dispatch(event: PaxosEvent): void {
    const core = this.#core
    switch (event.kind) {
      case 'tick':
        return this.#tick()
      case 'message':
        return this.#receive(event.from, event.message)
      case 'propose':
        return onPropose(core, event.proposals)
      case 'persisted':
        invariant(event.id <= core.lastPersist, 'Only a persist that was asked for becomes durable.')
        core.persisted(event.id)
        onOwnPromiseDurable(core, event.id)
        onOwnDurable(core, event.id)
        return advanceTransfer(core)
      case 'links':
        onLinks(core, event.links)
        return watchTransfer(core)
      case 'standing':
        return onStanding(core, event.standing)
      case 'readIndex':
        return onReadIndex(core, event.token)
      case 'told':
        if (!isSilenced(core)) onTold(core, event.from, event.commit)
        return
      case 'resign':
        if (core.role === 'leader') resign(core)
        return
      case 'transfer':
        return onTransfer(core, event.token, event.to)
      case 'damaged':
        return onDamaged(core, event.entries, event.isStateLost)
      case 'reconfigure':
        return onReconfigure(core, event.token, event.voters, event.after)
      case 'learners':
        return onLearners(core, event.replicas, event.since)
      case 'checkpointed':
        return onCheckpointed(core, event)
      default:
        return unreachable(event)
    }
  }

  #tick(): void {
    const core = this.#core
    if (core.role === 'follower') electionTick(core)
    if (core.candidacy !== undefined) candidateTick(core, core.candidacy)
    if (core.leadership !== undefined) leaderTick(core, core.leadership)
    if (core.leadership !== undefined) readsTick(core, core.leadership)
    watchTransfer(core)
    pullTick(core)
    repairTick(core)
    restTick(core)
  }

  /** The only switch on a message's kind. */
  #receive(from: BrokerId, message: Message): void {
    const core = this.#core
    if (from === core.self || (isSilenced(core) && !HARMLESS.has(message.kind))) return
    switch (message.kind) {
      case 'canvass':
        return onCanvass(core, from, message)
      case 'endorse':
        return onEndorse(core, from, message)
      case 'refuse':
        return onRefuse(core, from, message)
      case 'prepare':
        return onPrepare(core, from, message)
      case 'promise':
        return onPromise(core, from, message)
      case 'prepareRequest':
        return onPrepareRequest(core, from, message.ballot)
      case 'acceptSync':
        return onAcceptSync(core, from, message)
      case 'accept':
        return onAccept(core, from, message)
      case 'accepted':
        onAccepted(core, from, message)
        return advanceTransfer(core)
      case 'nack':
        return onNack(core, from, message)
      case 'learn':
        return onLearn(core, from, message)
      case 'syncRequired':
        if (passesGate(core, from, message.ballot, message.commit)) onSyncRequired(core, from, message.commit)
        return
      case 'syncRequest':
        noteProgress(core, from, message.fromSlot - 1)
        return serveChosen(core, from, message)
      case 'syncChunk':
        return onSyncChunk(core, from, message)
      case 'resign':
        return onResign(core, from, message.ballot)
      case 'readProbe':
        return onReadProbe(core, from, message)
      case 'readAck':
        return onReadAck(core, from, message)
      case 'transferNow':
        return onTransferNow(core, from, message)
      case 'repairRequest':
        return onRepairRequest(core, from, message)
      case 'repairResponse':
        return onRepairResponse(core, message)
      case 'repairTrimmed':
        return onRepairTrimmed(core, from, message)
      case 'syncReset':
        return onSyncReset(core, from, message)
      default:
        return unreachable(message)
    }
  }

  #announce(): void {
    const { role } = this
    const { ballot, leader, effects } = this.#core
    const isSame =
      role === this.#announcedRole &&
      leader === this.#announcedLeader &&
      sameBallot(ballot, this.#announcedBallot)
    if (isSame) return
    this.#announcedRole = role
    this.#announcedLeader = leader
    this.#announcedBallot = ballot
    effects.push({ kind: 'role', role, ballot, leader })
  }

  /** When it wants a tick, monotonic milliseconds, perhaps in the past; undefined while it is idle. */
  get deadlineMs(): number | undefined {
    const core = this.#core
    const { candidacy, leadership } = core
    let at = Math.min(
      core.canvassAtMs,
      core.pollAtMs,
      core.restAtMs,
      core.repairAtMs,
      core.canvassing?.deadlineMs ?? NEVER,
      core.pull?.retryAtMs ?? NEVER,
    )
    if (candidacy !== undefined) at = Math.min(at, candidacy.deadlineMs, candidacy.retransmitAtMs)
    if (leadership !== undefined) {
      const { learnAtMs, idleAtMs, retransmitAtMs, quorumLossAtMs, undecidedAtMs, reads, transfer } =
        leadership
      at = Math.min(at, learnAtMs, idleAtMs, retransmitAtMs, quorumLossAtMs, undecidedAtMs, reads.retryAtMs)
      at = Math.min(at, transfer?.deadlineMs ?? NEVER, transfer?.patienceEndMs ?? NEVER)
    }
    return at === NEVER ? undefined : at
  }

  /** Takes other bounds from the next event on. */
  configure(tuning: PaxosTuning): void {
    this.#core.tuning = tuning
  }

  get role(): Role {
    return this.#core.isRetired ? 'retired' : this.#core.role
  }

  get status(): ReplicaStatus {
    return statusOf(this.#core)
  }

  /** Entries that the store cannot read back, as far as they are known. */
  get damagedCount(): number {
    return this.#core.log.damage.count
  }

  /** Of its candidacy or leadership, or of the leader it follows; NO_BALLOT when there is none. */
  get ballot(): Ballot {
    return this.#core.ballot
  }

  get leader(): BrokerId | undefined {
    return this.#core.leader
  }

  /** It may promise and accept now; who may not is told of no leader. */
  get isVoter(): boolean {
    return this.#core.isVoter
  }

  get promised(): Ballot {
    return this.#core.promised
  }

  get acceptedBallot(): Ballot {
    return this.#core.acceptedBallot
  }

  get configuration(): Configuration {
    return this.#core.configuration
  }

  /** Whether the broker votes, or learns as far as this replica was told: its links matter here. */
  concerns(broker: BrokerId): boolean {
    const { voters, learners } = this.#core
    return voters.includes(broker) || learners.some(({ replica }) => replica.broker === broker)
  }

  get commit(): Slot {
    return this.#core.log.commit
  }

  /** The chain value at a chosen slot that is still in memory, commit always among them; undefined for any other slot. */
  chainAt(slot: Slot): number | undefined {
    const { log } = this.#core
    return slot >= log.start && slot <= log.commit ? log.chainAt(slot) : undefined
  }

  get through(): Slot {
    return this.#core.log.through
  }

  get logStart(): Checkpoint {
    return this.#core.logStart
  }

  /** Of marks above the log's start, ascending. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#core.checkpoints
  }

  /** It leads and knows everything chosen before it did (read barrier of consensus 1.11). */
  get canServeReads(): boolean {
    return hasPassedBarrier(this.#core)
  }

  /** The voter that this leader is about to hand over to; nothing is admitted meanwhile. */
  get transferTarget(): BrokerId | undefined {
    return this.#core.leadership?.transfer?.to
  }

  /** It leads, and another configuration is about to begin; nothing is admitted meanwhile. */
  get isReconfiguring(): boolean {
    return this.#core.leadership !== undefined && this.#core.log.endsWithStopSign
  }

  /** In-sync voters as of the last event, the leader included; 0 when it does not lead. */
  get inSyncCount(): number {
    return this.#core.leadership === undefined ? 0 : countInSync(this.#core, this.#core.leadership)
  }

  /** All voters and learners when it leads, else only itself. */
  progress(moment: Moment): readonly VoterProgress[] {
    this.#core.nowMs = moment.nowMs
    return describeProgress(this.#core)
  }

  /** Bytes of the entries it holds in memory, about. */
  get memoryBytes(): number {
    return this.#core.log.bytes
  }
}
