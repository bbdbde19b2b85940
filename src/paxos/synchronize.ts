import { NO_SLOT, type BrokerId, type Slot } from '../types/ids.ts'
import { hasToPoll } from './connectivity.ts'
import { NEVER, type Core } from './core.ts'
import { learnChosen, learnChunk, tellStopSign } from './learner.ts'
import type { SyncChunk, SyncReset } from './messages.ts'
import { isBelowCommit, onResetBelow } from './repair.ts'
import { canvassDelayMs } from './role.ts'
import { gatherReset } from './trim.ts'

/** What a catch-up is for. */
export interface PullGoal {
  /** The highest commit heard of. */
  readonly target: number
  /** So many slots may be missing at its end. */
  readonly slack: number
  /** The leader stopped pushing and waits for its end. */
  readonly isRequired: boolean
}

/** Begins to fetch chosen entries, one request at a time (consensus 1.10). */
export function pullFrom(core: Core, from: BrokerId, goal: PullGoal): void {
  if (from === core.self) return
  core.pull = { from, ...goal, isUnanswered: false, retryAtMs: NEVER }
  keepFromCanvassing(core)
  request(core)
}

/**
 * Somebody is ahead by `commit`, or by a configuration: it is asked for what is chosen, unless another one is being asked and
 * answers: a checkpoint of many parts would begin anew with each who speaks. Who is silent may be the only voter that this
 * replica knows, deleted long ago, and is not waited for. Returns whether it was asked now.
 */
export function pullMore(core: Core, from: BrokerId, commit: number): boolean {
  const target = Math.max(commit, core.log.commit + 1)
  const { pull } = core
  if (pull === undefined) {
    pullFrom(core, from, { target, slack: 0, isRequired: false })
    return true
  }
  if (pull.from !== from && !pull.isUnanswered) return false
  pull.target = Math.max(pull.target, target)
  if (pull.from === from) return false
  pull.from = from
  pull.isUnanswered = false
  request(core)
  return true
}

/** A replica that is busy to come near does not canvass meanwhile; one that gets no answer does. */
function keepFromCanvassing(core: Core): void {
  if (core.canvassAtMs !== NEVER) core.canvassAtMs = core.nowMs + core.tuning.electionTimeoutMs
}

/** Asks for what follows the own commit; asks again when no answer comes. */
function request(core: Core): void {
  const { pull } = core
  if (pull === undefined) return
  pull.retryAtMs = core.nowMs + core.tuning.retransmitMs
  core.lastPolled = pull.from
  ask(core, pull.from)
}

/** What is chosen above the own commit, or the next part of the checkpoint that this one has begun to send. */
function ask(core: Core, from: BrokerId): void {
  const { gathering } = core
  const isBegun = gathering?.from === from
  core.send(
    from,
    {
      kind: 'syncRequest',
      fromSlot: (core.log.commit + 1) as Slot,
      resetSlot: isBegun ? gathering.checkpoint.slot : NO_SLOT,
      part: isBegun ? gathering.parts.length : 0,
    },
    0,
  )
}

/** The leader stops pushing: this replica is beyond MaxLag, or below what the leader holds in memory. */
export function onSyncRequired(core: Core, from: BrokerId, commit: number): void {
  core.noteCommit(from, commit)
  const near = Math.floor(core.tuning.maxLagSlots / 2)
  core.status = 'syncing'
  if (core.pull?.isRequired === true) {
    core.pull.target = Math.max(core.pull.target, commit)
    return
  }
  // Near already, and still it could not be pushed: then all that is chosen has to come first.
  const slack = commit - core.log.commit > near ? near : 0
  pullFrom(core, from, { target: commit, slack, isRequired: true })
  finishIfNear(core)
}

/**
 * Another broker compared what both hold, and knows more to be chosen. Who follows a leader that is at work hears of it anyway,
 * and a leader finds out by counting: only a replica in which nothing moves goes and fetches it. Who tells need not be a voter
 * that this replica knows: those may all be gone, and their replicas deleted (core seed 378324).
 */
export function onTold(core: Core, from: BrokerId, commit: Slot): void {
  core.noteCommit(from, commit)
  if (core.role !== 'follower' || commit <= core.log.commit) return
  if (core.nowMs - core.lastChosenMs < core.tuning.retransmitMs) return
  pullMore(core, from, commit)
}

/** Chosen entries came, asked for or not. */
export function onSyncChunk(core: Core, from: BrokerId, chunk: SyncChunk): void {
  core.noteCommit(from, chunk.commit)
  const { log, configuration } = core
  // It answers a question of this replica, and votes in a configuration that it does not know of yet.
  if (chunk.commit < configuration.fromSlot && core.voters.includes(from))
    tellStopSign(core, from, chunk.commit)
  if (chunk.fromSlot > log.commit + 1) {
    if (core.pull === undefined) ask(core, from)
    return
  }
  const hasAdvanced = learnChunk(core, chunk)
  // Who tells of a stop-sign sends one chunk at a time, and the next one only when it asks again.
  const isMore = hasAdvanced && core.role === 'follower' && chunk.commit > log.commit
  if (isMore && pullMore(core, from, chunk.commit)) return
  const { pull } = core
  if (pull === undefined) return
  // A leader's order lasts until it is met; who merely asks around takes the word of the one who answered.
  pull.target = pull.isRequired ? Math.max(pull.target, chunk.commit) : chunk.commit
  // An answer without news means that this one knows no more: another is asked after a pause.
  goOn(core, from, hasAdvanced)
}

/** An answer came: ends the catch-up, or asks for the next part. */
function goOn(core: Core, from: BrokerId, hasAdvanced: boolean): void {
  // By its last request a learner says how far it is, and a new voter that it has taken up the configuration.
  const goesOn = hasAdvanced && (core.isLearner || core.activation !== undefined)
  if (!goesOn && finishIfNear(core)) return
  const { pull } = core
  if (from !== pull?.from || !hasAdvanced) return
  pull.isUnanswered = false
  keepFromCanvassing(core)
  request(core)
}

/** What was asked for is trimmed there: gathers the checkpoint, part by part, and begins anew with it (consensus 1.10). */
export function onSyncReset(core: Core, from: BrokerId, message: SyncReset): void {
  core.noteCommit(from, message.checkpoint.slot - 1)
  if (isBelowCommit(core, message)) return onResetBelow(core, from, message)
  // Parts that nobody asked for would only fill the memory. They show that somebody is ahead, though: that one is asked. But who
  // voted before tells of the stop-sign without being asked, each from the first part on: what is being gathered goes on.
  if (core.pull?.from !== from && message.checkpoint.partCount > 1) {
    if (showsNews(core, message)) pullMore(core, from, message.checkpoint.slot - 1)
    return
  }
  const hasAdvanced = gatherReset(core, from, message)
  // What a damaged slot below the checkpoint held back goes on.
  learnChosen(core, core.log.known, 'held')
  goOn(core, from, hasAdvanced)
}

/**
 * Who voted before tells a replica that is to vote next and does not know it yet by resets alone, when all that leads there is
 * trimmed: in a later configuration, or in the one that this replica has, of which it holds less.
 */
function showsNews(core: Core, { checkpoint }: SyncReset): boolean {
  if (checkpoint.configuration.number > core.configuration.number) return true
  return core.role === 'follower' && checkpoint.slot - 1 > core.log.commit
}

/** Ends the catch-up when it is near enough. The leader hears of it, and brings the rest by AcceptSync. */
function finishIfNear(core: Core): boolean {
  const { pull } = core
  if (pull === undefined || pull.target - core.log.commit > pull.slack) return false
  core.endPull()
  if (core.status === 'syncing') core.status = 'ok'
  if (pull.isRequired && core.leader !== undefined && core.leader !== core.self) {
    core.send(core.leader, { kind: 'prepareRequest', ballot: core.ballot }, 0)
  }
  if (core.canvassAtMs !== NEVER) core.canvassAtMs = core.nowMs + canvassDelayMs(core)
  return true
}

/** No answer came in time: the next one who may know more is asked. */
export function pullTick(core: Core): void {
  const { pull } = core
  if (pull !== undefined && core.nowMs >= pull.retryAtMs) {
    core.silent.add(pull.from)
    const next = nextSource(core, pull.from)
    if (next === undefined) {
      core.endPull()
    } else {
      pull.from = next
      pull.isUnanswered = true
      request(core)
    }
  }
  if (core.nowMs < core.pollAtMs) return
  core.pollAtMs = hasToPoll(core) ? core.nowMs + core.tuning.retransmitMs : NEVER
  if (core.pollAtMs !== NEVER) poll(core)
}

/** A replica that no leader reaches asks live voters in turn whether more is chosen (relay under partial partition). */
function poll(core: Core): void {
  if (core.pull !== undefined) return
  const from = nextSource(core, core.lastPolled)
  if (from === undefined) return
  pullFrom(core, from, {
    target: Math.max(core.log.commit + 1, core.knownCommit(from)),
    slack: 0,
    isRequired: false,
  })
}

/**
 * The next live voter after `last` in the voters' order, one known to have more before the others. Unless it was asked in vain: its
 * replica may be gone, and then all others have their turns (core seed 250981).
 */
function nextSource(core: Core, last: BrokerId | undefined): BrokerId | undefined {
  const { voters } = core
  const begin = last === undefined ? 0 : voters.indexOf(last) + 1
  let fallback: BrokerId | undefined
  for (let step = 0; step < voters.length; step++) {
    const voter = voters[(begin + step) % voters.length]
    if (voter === undefined || voter === core.self || !core.isAlive(voter)) continue
    if (core.knownCommit(voter) > core.log.commit && !core.silent.has(voter)) return voter
    fallback ??= voter
  }
  return fallback
}
