import { NO_SLOT, type BrokerId } from '../types/ids.ts'
import { sameBallot } from './ballot.ts'
import { NEVER, type Core } from './core.ts'
import { DAMAGED_CHOSEN_MAX } from './damage.ts'
import { learnChosen } from './learner.ts'
import { isBeingRepaired, mendFrom, writeRepair } from './mend.ts'
import type { RepairRequest, RepairResponse, RepairTrimmed, SyncReset } from './messages.ts'
import { resign } from './replication.ts'
import { reconsider } from './role.ts'
import type { DamagedEntry, ReplicaStatus } from './state.ts'
import { beginAt, gatherBelow } from './trim.ts'

/** Entries asked for at once. */
const REPAIRS_MAX = 16

/** What is wrong with its log comes before how far behind it is. */
export function statusOf(core: Core): ReplicaStatus {
  const { log, status } = core
  if (log.damage.count === 0) return status
  return log.isAbstaining ? 'abstaining' : 'repairing'
}

/** The store met damage. What this replica still has in memory is written again; for the rest others are asked. */
export function onDamaged(core: Core, entries: readonly DamagedEntry[], isStateLost: boolean): void {
  const { log } = core
  // Nothing of it is forgotten while this replica runs: only the journal lacks it.
  if (isStateLost) core.persist([{ kind: 'state', state: core.stateRecord(log.through) }])
  for (const entry of entries) markDamaged(core, entry)
  if (log.damage.count === 0 || core.repairAtMs !== NEVER) return
  ask(core)
}

function markDamaged(core: Core, entry: DamagedEntry): void {
  const { log } = core
  const isHeld = entry.slot >= core.logStart.slot && entry.slot <= log.through
  if (!isHeld || log.damage.at(entry.slot) !== undefined || isBeingRepaired(core, entry.slot)) return
  if (entry.slot <= log.start) {
    // The store met what stood there before: nobody else has that any more.
    if (core.isBeingWritten(entry.slot)) return
    if (log.damage.count < DAMAGED_CHOSEN_MAX) log.damage.add(entry)
    return
  }
  const whole = log.at(entry.slot)
  // Another value stands there by now: what the store met is on its way to be replaced.
  if (whole.chain === entry.chain) writeRepair(core, whole)
}

/** Asks the next one for the lowest damaged entries; again when no answer came in time. */
export function repairTick(core: Core): void {
  if (core.nowMs < core.repairAtMs) return
  core.repairAtMs = NEVER
  if (core.log.damage.count === 0) return reconsider(core)
  // Who was asked did not help in time: others, whose logs are whole, lead better than this replica.
  if (core.role === 'leader' && core.voters.length > 1) resign(core)
  core.repairSource = nextSource(core)
  ask(core)
}

/**
 * Brokers without a vote are asked as well: the only copy may be with one that voted before. Also those that seem dead, because
 * this replica is not told how their links change.
 */
function nextSource(core: Core): BrokerId | undefined {
  const { voters, self, links } = core
  const live = voters.filter((voter) => voter !== self && core.isAlive(voter))
  const others = [...(links?.peers.keys() ?? [])].filter((peer) => peer !== self && !voters.includes(peer))
  const source = sourceAt(core.repairTurn, live, others)
  if (source !== undefined) core.repairTurn++
  return source
}

/** The voters in turn, and after each round of them one of the others. */
function sourceAt(
  turn: number,
  voters: readonly BrokerId[],
  others: readonly BrokerId[],
): BrokerId | undefined {
  const roundLength = voters.length + Math.min(1, others.length)
  if (roundLength === 0) return undefined
  const place = turn % roundLength
  return place < voters.length ? voters[place] : others[Math.floor(turn / roundLength) % others.length]
}

function ask(core: Core): void {
  core.repairAtMs = core.nowMs + core.tuning.retransmitMs
  core.repairSource ??= nextSource(core)
  if (core.repairSource === undefined) return
  for (const { slot, origin, chain } of core.log.damage.lowest(REPAIRS_MAX)) {
    core.repairThrough = slot
    core.send(core.repairSource, { kind: 'repairRequest', slot, origin, chain }, 0)
  }
}

/**
 * Any replica answers that holds the very entry, whether it is chosen or not: when only the one who asks knew it chosen,
 * nobody may serve it as such (consensus 1.16).
 */
export function onRepairRequest(core: Core, from: BrokerId, request: RepairRequest): void {
  const { log } = core
  const { slot, origin, chain } = request
  if (slot < core.logStart.slot)
    return core.send(from, { kind: 'repairTrimmed', logStart: core.logStart.slot }, 0)
  if (slot > log.through || log.damage.at(slot) !== undefined) return
  if (slot <= log.start) {
    core.effects.push({ kind: 'serveRepair', to: from, slot, origin, chain })
    return
  }
  const entry = log.at(slot)
  if (entry.chain === chain && sameBallot(entry.origin, origin))
    core.send(from, { kind: 'repairResponse', entry }, 0)
}

export function onRepairResponse(core: Core, { entry }: RepairResponse): void {
  if (mendFrom(core, [entry])) goOn(core)
}

/**
 * Nobody has the entry any more: the mark that trimmed it did so here as well, and a crash took that back (the state machine
 * was ahead of the state record). As far as the other one's log reaches back this one is trimmed again, to a checkpoint of
 * its own; without one, because the crash took that as well, the other one is asked for its own.
 */
export function onRepairTrimmed(core: Core, from: BrokerId, { logStart }: RepairTrimmed): void {
  const { log, checkpoints } = core
  // What is above commit is pulled, and a checkpoint with it if need be (after a start some are above what is known chosen).
  if (log.damage.count === 0) return
  const base = checkpoints.findLast(({ slot }) => slot <= logStart && slot - 1 <= log.commit)
  if (base === undefined) return askForCheckpoint(core, from, logStart)
  beginAt(core, base)
  core.persist([{ kind: 'state', state: core.stateRecord(log.through) }])
  goOn(core)
}

/** Of the checkpoint where the other one's log begins, the part that comes next. While a catch-up is under way that one comes first. */
function askForCheckpoint(core: Core, from: BrokerId, logStart: number): void {
  const { log, gathering, pull } = core
  const { first } = log.damage
  if (pull !== undefined || first === undefined || first.slot >= logStart || logStart - 1 > log.commit) return
  const isBegun = gathering?.from === from
  const resetSlot = isBegun ? gathering.checkpoint.slot : NO_SLOT
  const part = isBegun ? gathering.parts.length : 0
  core.send(from, { kind: 'syncRequest', fromSlot: first.slot, resetSlot, part }, 0)
}

/** Whether a checkpoint replaces what is damaged here, and says nothing new otherwise. */
export function isBelowCommit(core: Core, { checkpoint }: SyncReset): boolean {
  const { log, pull } = core
  const { first } = log.damage
  return (
    pull === undefined &&
    first !== undefined &&
    first.slot < checkpoint.slot &&
    checkpoint.slot - 1 <= log.commit
  )
}

export function onResetBelow(core: Core, from: BrokerId, message: SyncReset): void {
  const verdict = gatherBelow(core, from, message)
  if (verdict === 'whole') goOn(core)
  // What was refused is asked for again when the time for an answer is over.
  if (verdict === 'taken') askForCheckpoint(core, from, message.checkpoint.slot)
}

/** Damage is mended, or trimmed away. */
function goOn(core: Core): void {
  const { log } = core
  // What damage held back goes on.
  learnChosen(core, log.known, 'held')
  const next = log.damage.first
  if (next === undefined) {
    core.repairAtMs = NEVER
    reconsider(core)
  } else if (next.slot > core.repairThrough) {
    ask(core)
  }
}
