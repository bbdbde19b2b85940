import type { BrokerId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { enter } from './activation.ts'
import type { Core } from './core.ts'
import type { PaxosEvent } from './effects.ts'
import type { SyncReset } from './messages.ts'
import { reconsider, stepDown } from './role.ts'
import { ENTRY_KIND, VOTERS_MAX, type Checkpoint, type Entry } from './state.ts'
import { decodeTrim } from './trim-body.ts'
import type { Gathering, OpenMark } from './volatile.ts'

/** Checkpoints above the log's start. With each mark the oldest of four goes (consensus 1.14). */
export const CHECKPOINTS_MAX = 3
/** Parts of one checkpoint's rows; a machine with more keeps its log. */
export const CHECKPOINT_PARTS_MAX = 1_024
/** Marks whose checkpoint the host has not told; it does so in the turn that applies them. Of more the oldest are forgotten. */
export const OPEN_MARKS_MAX = 64

/**
 * Remembers the marks among entries that go to the state machine, before a stop-sign behind them is taken up: the configuration
 * in force at them is the present one. What a start applies again may be of one before it, which is not known any more; such a
 * mark has no checkpoint here.
 */
export function noteMarks(core: Core, entries: readonly Entry[]): void {
  const { openMarks, configuration } = core
  for (const { kind, slot, chain, body } of entries) {
    if (kind !== ENTRY_KIND.TRIM || slot <= configuration.fromSlot) continue
    openMarks.push({ slot, chain, configuration, upTo: decodeTrim(body)?.upTo ?? 0 })
    if (openMarks.length > OPEN_MARKS_MAX) openMarks.shift()
  }
}

/**
 * A mark is applied (consensus 1.14): its checkpoint joins the last few, and the log begins at the checkpoint of the earlier
 * mark that it names, if this replica has that. The rows become durable before the state record that says so.
 */
export function onCheckpointed(core: Core, event: Extract<PaxosEvent, { kind: 'checkpointed' }>): void {
  const mark = takeOpenMark(core, event.slot)
  const { parts, machine } = event
  // Unknown: a SyncReset has overtaken it.
  if (mark === undefined || parts.length > CHECKPOINT_PARTS_MAX) return
  const slot = (mark.slot + 1) as Slot
  const newest = core.checkpoints.at(-1) ?? core.logStart
  // A start may apply again what the state record has gone beyond: the record holds what followed from this mark.
  if (slot <= newest.slot) return
  const { chain, configuration } = mark
  const own: Checkpoint = { ...machine, slot, chain, configuration, partCount: parts.length }
  const base = core.checkpoints.find((checkpoint) => checkpoint.slot === mark.upTo + 1)
  if (base !== undefined) beginAt(core, base)
  core.checkpoints = [...core.checkpoints, own].slice(-CHECKPOINTS_MAX)
  persistCheckpoint(core, own, parts)
}

/** The log begins at one of the own checkpoints from here on. A state record makes that durable. */
export function beginAt(core: Core, base: Checkpoint): void {
  core.logStart = base
  core.log.damage.dropBelow(base.slot)
  core.checkpoints = core.checkpoints.filter(({ slot }) => slot > base.slot)
}

function takeOpenMark(core: Core, slot: Slot): OpenMark | undefined {
  const { openMarks } = core
  const place = openMarks.findIndex((mark) => mark.slot === slot)
  return openMarks.splice(0, place + 1)[place]
}

/** Parts lie in records of their own, so that none is large; without the state record behind them they mean nothing. */
function persistCheckpoint(core: Core, { slot }: Checkpoint, parts: readonly Uint8Array[]): void {
  parts.forEach((bytes, part) => core.persist([{ kind: 'rows', slot, part, bytes }]))
  core.persist([{ kind: 'state', state: core.stateRecord(core.log.through) }])
}

/** Takes one part of a checkpoint; returns whether it was the next one. The last one puts the checkpoint in force. */
export function gatherReset(core: Core, from: BrokerId, message: SyncReset): boolean {
  const { checkpoint } = message
  if (!isUsable(core, message)) return false
  const verdict = core.rules.judgeReset(core.log, checkpoint)
  if (verdict === 'ignore' || (verdict === 'drop-tail' && isEarlier(core, checkpoint))) {
    core.gathering = undefined
    return false
  }
  const gathering = addPart(core, from, message)
  if (gathering === undefined) return false
  if (isWhole(gathering)) beginAnew(core, gathering)
  return true
}

/**
 * Takes one part of a checkpoint at or below commit: what lies below it is damaged here and trimmed by others. With the last part
 * the log begins there; the state machine is further already, and stays as it is. 'refused': it was not the next one.
 */
export function gatherBelow(core: Core, from: BrokerId, message: SyncReset): 'refused' | 'taken' | 'whole' {
  const { log } = core
  const { checkpoint } = message
  const last = checkpoint.slot - 1
  invariant(last <= log.commit, 'What is above commit begins the log anew.')
  const contradicts = last >= log.start && log.chainAt(last) !== checkpoint.chain
  if (contradicts || !isUsable(core, message)) return 'refused'
  const gathering = addPart(core, from, message)
  if (gathering === undefined) return 'refused'
  if (!isWhole(gathering)) return 'taken'
  core.gathering = undefined
  beginAt(core, gathering.checkpoint)
  persistCheckpoint(core, gathering.checkpoint, gathering.parts)
  return 'whole'
}

/** What has been gathered with this part; undefined when it is not the next one. */
function addPart(core: Core, from: BrokerId, { checkpoint, part, rows }: SyncReset): Gathering | undefined {
  let { gathering } = core
  if (gathering?.from !== from || gathering.checkpoint.slot !== checkpoint.slot) {
    gathering = { from, checkpoint, parts: [] }
    core.gathering = gathering
  }
  if (checkpoint.partCount === 0) return gathering
  if (part !== gathering.parts.length) return undefined
  gathering.parts.push(rows)
  return gathering
}

function isWhole({ parts, checkpoint }: Gathering): boolean {
  return parts.length === checkpoint.partCount
}

/**
 * A checkpoint below the stop-sign of the present configuration: what lies there is damaged here, and trimmed by all others.
 * What stands between it and the stop-sign is chosen, and links to it, or it would contradict what was decided.
 * Number 0 is that of a replica which learned before it knew of any configuration: the first one was in force then, or the
 * one in force here.
 */
function isEarlier(core: Core, { configuration }: Checkpoint): boolean {
  return configuration.number !== 0 && configuration.number < core.configuration.number
}

/** What is damaged or counts wrong is no message of a replica. */
function isUsable(core: Core, { checkpoint, part, rows, crc }: SyncReset): boolean {
  const { voters, fromSlot } = checkpoint.configuration
  return (
    (!isEarlier(core, checkpoint) || checkpoint.slot <= core.configuration.fromSlot + 1) &&
    voters.length >= 1 &&
    voters.length <= VOTERS_MAX &&
    fromSlot < checkpoint.slot &&
    checkpoint.slot > 1 &&
    checkpoint.partCount <= CHECKPOINT_PARTS_MAX &&
    part < Math.max(1, checkpoint.partCount) &&
    core.checksum(rows, 0) === crc
  )
}

/**
 * The log begins anew (consensus 1.10), perhaps in a later configuration. In the present one promise and accepted ballot stay.
 * One state record makes it durable: the entries below are merely superseded. A tail that stays is not written again, or
 * damage in it would get a fresh checksum; above the stop-sign of an older configuration nothing was ever chosen.
 */
function beginAnew(core: Core, { checkpoint, parts }: Gathering): void {
  const { log } = core
  const wasLeading = core.role !== 'follower'
  const { configuration } = checkpoint
  const isLater = configuration.number > core.configuration.number
  // It learns from another what it should have decided: somebody else leads.
  if (wasLeading) stepDown(core)
  const last = (checkpoint.slot - 1) as Slot
  const keepsTail = !isLater && core.rules.judgeReset(log, checkpoint) === 'keep-tail'
  log.beginAfter(last, checkpoint.chain, keepsTail)
  if (isLater) enter(core, configuration)
  core.logStart = checkpoint
  core.checkpoints = []
  core.openMarks.length = 0
  core.gathering = undefined
  core.lastChosenMs = core.nowMs
  persistCheckpoint(core, checkpoint, parts)
  if (isLater) core.configurationPersist = core.promisePersist = core.lastPersist
  core.effects.push({ kind: 'reset', checkpoint, parts })
  invariant(log.commit === last, 'All below a checkpoint is chosen.')
  if (wasLeading) reconsider(core)
}
