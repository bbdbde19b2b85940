import { NO_SLOT, type BrokerId, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { activate } from './activation.ts'
import type { Ballot } from './ballot.ts'
import { NEVER, type Core } from './core.ts'
import type { Write } from './effects.ts'
import { continues } from './entry.ts'
import { assertApplyOrder, assertCommitGround, assertLearned, assertSameChosen } from './invariants.ts'
import type { SyncChunk, SyncRequest } from './messages.ts'
import { reconsider, stepDown } from './role.ts'
import { ENTRY_KIND, type Entry } from './state.ts'
import { configurationOf, decodeStopSign } from './stop-sign.ts'
import { noteMarks } from './trim.ts'

/** Chosen entries that an active replica keeps in memory, for those that are or come back a little behind. */
export const TAIL_SLOTS = 64

/**
 * Everything up to `upTo` is chosen: hands what is newly so to the state machine. `ground` is how that is known (I6): the
 * ballot at which it was counted or whose leader said so, or 'chunk' for chosen entries that were sent and compared. A
 * stop-sign among it is the last of it: then the step goes on in another configuration, without leadership.
 */
export function learnChosen(core: Core, upTo: number, ground: Ballot | 'chunk'): boolean {
  const { log } = core
  if (upTo <= log.commit) return false
  if (ground !== 'chunk') assertCommitGround(core.acceptedBallot, ground)
  const before = log.commit
  const entries = log.commitTo(upTo as Slot)
  assertApplyOrder(before, entries)
  noteMarks(core, entries)
  takeUpConfiguration(core, entries)
  core.effects.push({ kind: 'apply', entries })
  core.lastChosenMs = core.nowMs
  if (core.role !== 'leader') {
    log.dropChosen(log.commit - TAIL_SLOTS, core.tuning.tailBytesMax)
    awaitRest(core)
  }
  return true
}

/**
 * Its record is written before the entry is applied: what a start finds applied is known to be chosen, so it must not find the
 * stop-sign applied and the old configuration in force.
 */
function takeUpConfiguration(core: Core, chosen: readonly Entry[]): void {
  const last = chosen[chosen.length - 1]
  const next = last === undefined ? undefined : configurationOf(last)
  if (next !== undefined && next.number > core.configuration.number) activate(core, next)
}

/**
 * Whether entries are numbered without gap from `first`, and each continues the one before it. What is not so is no message
 * of a replica: it is ignored, because what is wrong with its sender must not stop this one.
 */
export function areLinked(core: Core, entries: readonly Entry[], first: number): boolean {
  return entries.every((entry, place) => {
    const before = entries[place - 1]
    const isSound = entry.kind !== ENTRY_KIND.STOPSIGN || decodeStopSign(entry.body) !== undefined
    return (
      isSound &&
      entry.slot === first + place &&
      (before === undefined || continues(before, entry, core.checksum))
    )
  })
}

/**
 * Writes chosen entries that another replica sent (I5): the accepted ballot stays, and so does the tail above while it
 * links. Returns whether commit moved. The chunk has to begin at or below commit + 1.
 */
export function learnChunk(core: Core, chunk: SyncChunk): boolean {
  invariant(chunk.fromSlot <= core.log.commit + 1, 'A chunk that leaves a gap is not learned.')
  if (!areLinked(core, chunk.entries, chunk.fromSlot)) return false
  const before = core.log.commit
  // A chunk reaches over several configurations; each is taken up before what was chosen in it is written.
  while (learnPart(core, chunk, endOfPart(core, chunk)));
  return core.log.commit > before
}

/** The first slot of a chunk at which a configuration above the own one begins, else its end. */
function endOfPart(core: Core, { fromSlot, entries }: SyncChunk): number {
  for (const entry of entries) {
    const next = configurationOf(entry)
    if (next !== undefined && next.number > core.configuration.number) return entry.slot
  }
  return fromSlot - 1 + entries.length
}

function learnPart(core: Core, chunk: SyncChunk, end: number): boolean {
  const { log } = core
  const known = Math.min(end, log.commit)
  if (known >= chunk.fromSlot && known >= log.start) {
    assertSameChosen(log.chainAt(known), chunk.entries[known - chunk.fromSlot]?.chain)
  }
  if (end <= log.commit) return false
  const fresh = chunk.entries.slice(log.commit + 1 - chunk.fromSlot, end + 1 - chunk.fromSlot)
  const first = fresh[0]
  invariant(
    first !== undefined && log.linksAt(log.commit, first),
    'I4: what is chosen elsewhere continues what is chosen here.',
  )
  let agreeing = 0
  while (agreeing < fresh.length && log.commit + agreeing < log.through) {
    if (log.at(log.commit + agreeing + 1).chain !== fresh[agreeing]?.chain) break
    agreeing++
  }
  const before = { acceptedBallot: core.acceptedBallot, through: log.through }
  const differs = agreeing < fresh.length && log.commit + agreeing < log.through
  replaceAfter(core, log.commit + agreeing, fresh.slice(agreeing), end)
  assertLearned(before, { acceptedBallot: core.acceptedBallot, through: log.through }, differs)
  learnChosen(core, end, 'chunk')
  return true
}

/**
 * Puts learned entries above `keep`, up to `end`, and decides about the tail above. A leader or candidate that learns what
 * it did not hold leads no more: another ballot chose it.
 */
function replaceAfter(core: Core, keep: number, learned: readonly Entry[], end: number): void {
  const { log } = core
  const differs = learned.length > 0 && log.through > keep
  const above = log.slice(Math.min(end, log.through), log.through)
  const kept = core.rules.keptAboveLearned(above, differs)
  if (learned.length === 0 && kept.length === above.length) return
  const wasLeading = core.role !== 'follower'
  if (wasLeading) stepDown(core)
  const writes: Write[] = []
  if (log.through > keep) {
    log.truncate(keep)
    writes.push({ kind: 'state', state: core.stateRecord(keep as Slot) })
  }
  for (const entry of [...learned, ...kept]) {
    log.append(entry)
    writes.push({ kind: 'entry', entry })
  }
  core.persist(writes)
  if (wasLeading) reconsider(core)
}

/** A group in which nothing is chosen for a while keeps nothing chosen in memory: who needs it gets it from the store. */
function awaitRest(core: Core): void {
  if (core.restAtMs === NEVER && core.log.start < core.log.commit)
    core.restAtMs = core.nowMs + core.tuning.retransmitMs
}

/** The deadline stays where it is while slots are chosen, so that it costs nothing for each of them. */
export function restTick(core: Core): void {
  if (core.nowMs < core.restAtMs) return
  core.restAtMs = NEVER
  // A leader knows by itself when nobody needs its tail.
  if (core.role === 'leader') return
  if (core.nowMs - core.lastChosenMs < core.tuning.retransmitMs) awaitRest(core)
  else core.log.dropChosen(core.log.commit, 0)
}

/**
 * The store holds what is chosen here; the host reads it and sends it to the one who asked. What is trimmed stands in the
 * checkpoint, of which one part is sent for each request: the first one, unless the asker is in the middle of this very one.
 */
export function serveChosen(core: Core, to: BrokerId, request: SyncRequest): void {
  const { commit } = core.log
  const { fromSlot, resetSlot, part } = request
  const checkpoint = core.logStart
  if (fromSlot < checkpoint.slot) {
    const isNext = resetSlot === checkpoint.slot && part < checkpoint.partCount
    const after = core.lastPersist
    core.effects.push({ kind: 'serveReset', to, checkpoint, part: isNext ? part : 0, after })
  } else if (fromSlot > commit) {
    core.send(to, { kind: 'syncChunk', fromSlot, entries: [], commit }, 0)
  } else {
    core.effects.push({ kind: 'serve', to, fromSlot, commit, after: core.lastPersist })
  }
}

/**
 * To a replica that does not know that its configuration has ended. Where the stop-sign is trimmed away the checkpoint stands
 * for it.
 */
export function tellStopSign(core: Core, to: BrokerId, commit: number): void {
  const fromSlot = Math.min(commit + 1, core.configuration.fromSlot) as Slot
  serveChosen(core, to, { kind: 'syncRequest', fromSlot, resetSlot: NO_SLOT, part: 0 })
}
