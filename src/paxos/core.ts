import { sameReplica, type BrokerId, type Replica, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { NO_BALLOT, sameBallot, type Ballot } from './ballot.ts'
import type { Effect, Moment, Write } from './effects.ts'
import type { LinkView, PeerView } from './link-view.ts'
import type { Message } from './messages.ts'
import type { PaxosOptions, PaxosTuning } from './options.ts'
import { ReplicaLog } from './replica-log.ts'
import type { Rules } from './rules.ts'
import { mayVote, type Standing } from './standing.ts'
import {
  VOTERS_MAX,
  type Checkpoint,
  type Checksum,
  type Configuration,
  type Entry,
  type RecoveredState,
  type ReplicaStatus,
  type Role,
  type StateRecord,
} from './state.ts'
import type {
  Activation,
  AskedConfiguration,
  Candidacy,
  Canvassing,
  Gathering,
  Leadership,
  Learner,
  OpenMark,
  Pull,
} from './volatile.ts'

/** A deadline that is not set. */
export const NEVER = Infinity

/** Learners of one group; more than there are brokers in any cluster that is tested. */
export const LEARNERS_MAX = 1_024

/**
 * All state of one replica (consensus 1.3), and the effects of the step that is running. The rules are plain functions
 * over it, a file for each part a replica plays. Sub-states exist only while they are needed, so an idle follower is small.
 */
export class Core {
  readonly replica: Replica
  readonly checksum: Checksum
  readonly bootNumber: number
  readonly rules: Rules
  tuning: PaxosTuning

  // Durable: this and the log are what `recovered` brought, plus what was persisted since.
  promised: Ballot
  acceptedBallot: Ballot
  configuration: Configuration
  logStart: Checkpoint
  checkpoints: readonly Checkpoint[]
  readonly minConfiguration: number
  readonly log: ReplicaLog

  // Derived of the configuration, in `setConfiguration` alone.
  voters: readonly BrokerId[] = []
  /** The configuration gives this replica's store a vote; whether it may use it is its standing's to say. */
  hasVote = false
  majority = 0

  // Volatile.
  role: Role = 'follower'
  status: ReplicaStatus = 'ok'
  /** Undefined until the host has told it: then nothing is voted on. */
  standing: Standing | undefined
  /** Of the own candidacy or leadership, or of the leader that is followed. */
  ballot: Ballot = NO_BALLOT
  leader: BrokerId | undefined
  /** The process under which the leader led; another one of the same broker leads nothing. */
  leaderBootId: string | undefined
  links: LinkView | undefined
  /** The highest round met in any ballot: the next campaign goes above it. */
  highestRound: number
  /** Highest commit heard of, by place in `voters`. */
  knownCommits: number[] = []
  candidacy: Candidacy | undefined
  leadership: Leadership | undefined
  canvassing: Canvassing | undefined
  /** How many canvasses in a row have failed since a leader was known. */
  canvassCount = 0
  pull: Pull | undefined
  /** Marks that were handed to the state machine and whose checkpoints it has not told yet. */
  readonly openMarks: OpenMark[] = []
  gathering: Gathering | undefined

  // Deadlines, monotonic milliseconds. Those of the sub-states stand in them.
  canvassAtMs = NEVER
  /** A replica that no leader reaches asks others for what is chosen. */
  pollAtMs = NEVER
  /** A follower forgets what it holds in memory of chosen slots. */
  restAtMs = NEVER
  /** Others are asked for copies of what is damaged here. */
  repairAtMs = NEVER
  repairSource: BrokerId | undefined
  /** How often another one was turned to. */
  repairTurn = 0
  /** Repairs that wait for the disk, and perhaps some that do not any more. */
  repairs: { readonly slot: Slot; readonly persistId: number }[] = []
  /** The highest slot asked for. */
  repairThrough = 0
  /** Who was asked last for what is chosen. */
  lastPolled: BrokerId | undefined
  /** Voters that left a request for what is chosen unanswered, and have said nothing since. */
  readonly silent = new Set<BrokerId>()

  nowMs = 0
  random = 0
  lastChosenMs = 0
  readCounter: number
  transferCount = 0
  /** Who learns without a vote, as the host says; this replica, when it is one of them, is not in it. */
  learners: readonly Learner[] = []
  isLearner = false
  #toldLearners: readonly Replica[] = []
  #learnersSince = 0
  /** The change that was ordered here last and is not answered yet. */
  asked: AskedConfiguration | undefined
  /** A configuration was taken up in this step. */
  activation: Activation | undefined
  /** Chosen by what the state record says, and not handed to the state machine before the stop. */
  unapplied: readonly Entry[]

  /** The last persist, the last one that is durable, the last one that raised the promise, and the last one that took up a configuration. */
  lastPersist = 0
  durablePersist = 0
  /** Persists with entries that are under way: from which slot on they write. */
  readonly #writing: { readonly id: number; readonly fromSlot: Slot }[] = []
  promisePersist = 0
  configurationPersist = 0
  effects: Effect[] = []

  constructor(options: PaxosOptions, recovered: RecoveredState, rules: Rules) {
    const { state } = recovered
    this.replica = options.self
    this.checksum = options.checksum
    this.bootNumber = options.bootNumber
    this.rules = rules
    this.tuning = options.tuning
    this.promised = state.promised
    this.acceptedBallot = state.acceptedBallot
    this.configuration = state.configuration
    this.logStart = state.logStart
    this.checkpoints = state.checkpoints
    this.minConfiguration = state.minConfiguration
    this.log = new ReplicaLog({ ...recovered, checksum: options.checksum })
    this.setConfiguration(state.configuration)
    this.highestRound = state.promised.round
    this.readCounter = (options.bootNumber % 2 ** 32) * 2 ** 20
    if (this.log.damage.count > 0) this.repairAtMs = 0
    invariant(
      this.log.through >= state.through,
      'The recovered log reaches at least as far as the state record says.',
    )
    const known = rules.knownChosen(recovered.commit, state.configuration.fromSlot)
    this.log.noteKnown(known)
    const reached = rules.committable(this.log, known)
    this.unapplied = reached > recovered.commit ? this.log.commitTo(reached) : []
    // They are handed over in the first step, and not kept in memory after it.
    if (this.unapplied.length > 0) this.restAtMs = 0
  }

  get self(): BrokerId {
    return this.replica.broker
  }

  /** All that follows from who votes, so that nothing of another configuration is left. */
  setConfiguration(configuration: Configuration): void {
    const known = new Map(this.voters.map((voter, place) => [voter, this.knownCommits[place] ?? 0]))
    invariant(configuration.voters.length >= 1, 'A configuration has at least one voter.')
    invariant(configuration.voters.length <= VOTERS_MAX, 'A configuration has at most seven voters.')
    this.configuration = configuration
    this.voters = configuration.voters.map((voter) => voter.broker)
    this.hasVote =
      this.rules.votesIn(configuration.number, this.minConfiguration) &&
      configuration.voters.some((voter) => this.rules.isVoteOf(voter, this.replica))
    this.majority = this.rules.quorum(this.voters.length)
    this.knownCommits = this.voters.map((voter) => known.get(voter) ?? 0)
    this.highestRound = 0
    this.silent.clear()
    this.setLearners(this.#toldLearners, this.#learnersSince)
  }

  /**
   * As the host says, without those that vote: who became a voter learns no more, also when it is dropped later. Unless that is in
   * a configuration before `since`: then it is known already that it will be dropped, and is to learn.
   */
  setLearners(replicas: readonly Replica[], since: number): void {
    invariant(replicas.length <= LEARNERS_MAX, 'A group has a bounded number of learners.')
    const { voters, number } = this.configuration
    const isVoting = (replica: Replica): boolean =>
      voters.some((voter) => sameReplica(voter, replica)) &&
      (this.hasVote || !sameReplica(replica, this.replica))
    const voteless = replicas.filter((replica) => !isVoting(replica))
    this.#toldLearners = number < since ? replicas : voteless
    this.#learnersSince = since
    // A store that came in place of a voter's learns without being told to, until the vote is its own.
    const isInPlace = voters.some(({ broker, store }) => broker === this.self && store !== this.replica.store)
    this.isLearner = isInPlace || voteless.some((replica) => sameReplica(replica, this.replica))
    const before = this.learners
    this.learners = voteless
      .filter((replica) => replica.broker !== this.self)
      .map((replica) => {
        const known = before.find((learner) => sameReplica(learner.replica, replica))
        return known ?? { replica, commit: 0 }
      })
  }

  /** Neither a voter nor a learner: it answers with what it knows until it is deleted. */
  get isRetired(): boolean {
    return !this.hasVote && !this.isLearner
  }

  /** The gate of every promise, acceptance, endorsement and campaign. */
  get isVoter(): boolean {
    return (
      this.hasVote && this.standing !== undefined && mayVote(this.self, this.configuration, this.standing)
    )
  }

  begin(moment: Moment): void {
    invariant(moment.random >= 0 && moment.random < 1, 'The random number of a moment is in [0, 1).')
    this.nowMs = moment.nowMs
    this.random = moment.random
    this.effects = []
    if (this.unapplied.length > 0) this.effects.push({ kind: 'apply', entries: this.unapplied })
    this.unapplied = []
  }

  /** The state record as of now, with the log cut at `through`; entries written after it in the same persist follow. */
  stateRecord(through: Slot): StateRecord {
    return {
      promised: this.promised,
      acceptedBallot: this.acceptedBallot,
      configuration: this.configuration,
      logStart: this.logStart,
      checkpoints: this.checkpoints,
      minConfiguration: this.minConfiguration,
      through,
    }
  }

  persist(writes: readonly Write[]): number {
    invariant(writes.length > 0, 'A persist writes something.')
    this.lastPersist++
    const first = writes.find((write) => write.kind === 'entry')
    if (first !== undefined) this.#writing.push({ id: this.lastPersist, fromSlot: first.entry.slot })
    this.effects.push({ kind: 'persist', id: this.lastPersist, writes })
    return this.lastPersist
  }

  /** This persist and all before it are durable. */
  persisted(id: number): void {
    this.durablePersist = id
    while (this.#writing[0] !== undefined && this.#writing[0].id <= id) this.#writing.shift()
  }

  /** Whether what stands at the slot on the disk is about to be written over. */
  isBeingWritten(slot: Slot): boolean {
    return this.#writing.some(({ fromSlot }) => fromSlot <= slot)
  }

  /**
   * `after` 0: nothing needs to be durable first, but the configuration that it is said in. Who voted before takes every word
   * of a new voter for a sign that this one goes on with it, and stops telling of it.
   */
  send(to: BrokerId, message: Message, after: number): void {
    invariant(to !== this.self, 'A replica sends itself nothing.')
    this.effects.push({ kind: 'send', to, message, after: Math.max(after, this.configurationPersist) })
  }

  sendToVoters(message: Message, after: number): void {
    for (const voter of this.voters) if (voter !== this.self) this.send(voter, message, after)
  }

  /** What was gathered of a checkpoint stays: the next catch-up from the same replica goes on with it. */
  breakOffPull(): void {
    this.pull = undefined
  }

  /** It is there, or nobody is left to ask: what was gathered of a checkpoint goes as well. */
  endPull(): void {
    this.pull = undefined
    this.gathering = undefined
  }

  noteCommit(from: BrokerId, commit: number): void {
    this.silent.delete(from)
    const place = this.voters.indexOf(from)
    if (place >= 0 && commit > (this.knownCommits[place] ?? 0)) this.knownCommits[place] = commit
  }

  knownCommit(of: BrokerId): number {
    return this.knownCommits[this.voters.indexOf(of)] ?? 0
  }

  /** A voter whose store was lost, or has forgotten, is as good as dead: it answers nothing until it is replaced. */
  isVoterStore(broker: BrokerId, { store }: PeerView): boolean {
    if (store === undefined) return true
    const voter = this.configuration.voters.find((each) => each.broker === broker)
    return !store.isOutsider && (voter === undefined || voter.store === store.storeId)
  }

  /** A learner is the store that it was said to be, also while another one of its broker has the vote. */
  isLearnerAlive({ broker, store }: Replica): boolean {
    const view = this.links?.peers.get(broker)
    if (view === undefined || !view.alive) return false
    return view.store === undefined || (!view.store.isOutsider && view.store.storeId === store)
  }

  isAlive(broker: BrokerId): boolean {
    const view = this.links?.peers.get(broker)
    return view !== undefined && view.alive && this.isVoterStore(broker, view)
  }

  leads(ballot: Ballot): boolean {
    return this.role === 'leader' && sameBallot(ballot, this.ballot)
  }
}
