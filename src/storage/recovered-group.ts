import type { DamagedEntry, Entry } from '../paxos/state.ts'
import type { Slot } from '../types/ids.ts'
import { isDamaged, readSlots, type LogSource } from './entry-reader.ts'
import { emptyThrough, firstSlotOf } from './group-log.ts'
import { linksTo } from './journal-record.ts'
import type { RecoveredGroup } from './log-store.ts'
import { checkParts } from './part-reader.ts'
import { chainAt, locate } from './run-reader.ts'
import { DamagedEntryError, DamagedStoreError } from './storage-errors.ts'

const PAGE_BYTES = 8 * 1024 * 1024
/** Bodies whose runs are looked up at a time. */
const TILING_BYTES = 64 * 1024 * 1024

interface ReadTail {
  readonly tail: readonly Entry[]
  readonly damaged: readonly DamagedEntry[]
}

/**
 * What a start hands out of a group, once the index is at the end of the journal. Throws when the log is not whole; entries
 * of which only the contents are lost are told beside it. `suspects` are slots whose bodies the replay found damaged.
 */
export async function recoverGroup(
  source: LogSource,
  found: { readonly isRebuilt: boolean; readonly suspects: readonly Slot[] },
): Promise<RecoveredGroup> {
  const { index, log } = source
  const { group, state, applied, through } = log
  if (state === undefined) throw new DamagedStoreError(`Group ${group} has entries but no state record.`)
  if (through < state.through || through < emptyThrough(state)) {
    throw new DamagedStoreError(
      `Group ${group} ends at slot ${through}, before slot ${state.through} that it promised to hold.`,
    )
  }
  if (applied.slot > through) {
    throw new DamagedStoreError(
      `Group ${group} has applied slot ${applied.slot}, but its log ends at ${through}.`,
    )
  }
  try {
    if (found.isRebuilt) {
      await checkTiling(source)
      await checkParts(index, log)
    }
    const isWhole = applied.slot === through && log.chain !== undefined
    const chainAtApplied = isWhole ? (log.chain ?? 0) : await chainAt(index, log, applied.slot)
    const older = await readSuspects(source, found.suspects)
    const { tail, damaged } = await readTail(source, chainAtApplied)
    return {
      group,
      state,
      applied: { ...applied, slot: applied.slot as Slot },
      chainAtApplied,
      tail,
      damaged: [...older, ...damaged],
    }
  } catch (error) {
    if (error instanceof DamagedEntryError && !error.isIndexSuspect)
      throw new DamagedStoreError(error.message, { cause: error })
    throw error
  }
}

/** Looks every live slot up: a rebuilt index has to cover all of them. */
async function checkTiling({ index, log }: LogSource): Promise<void> {
  for (let slot = firstSlotOf(log); slot <= log.through;) {
    const slices = await locate(index, log, { from: slot, to: log.through, bytesMax: TILING_BYTES })
    slot = (slices.at(-1)?.last ?? log.through) + 1
  }
}

/** Those of the applied entries that no later record replaced. */
async function readSuspects(source: LogSource, suspects: readonly Slot[]): Promise<readonly DamagedEntry[]> {
  const damaged: DamagedEntry[] = []
  const { applied } = source.log
  const slots = new Set(suspects.filter((slot) => slot <= applied.slot).sort((a, b) => a - b))
  for (const slot of slots) {
    const read = await readSlots(source, { from: slot, to: slot, bytesMax: 1 })
    damaged.push(...read.filter(isDamaged))
  }
  return damaged
}

/** Entries (applied, through], every link of them verified. */
async function readTail(source: LogSource, chainAtApplied: number): Promise<ReadTail> {
  const { log } = source
  const tail: Entry[] = []
  const damaged: DamagedEntry[] = []
  let chain = chainAtApplied
  for (let slot = log.applied.slot + 1; slot <= log.through;) {
    const part = await readSlots(source, { from: slot, to: log.through, bytesMax: PAGE_BYTES })
    const [first] = part
    const follows =
      first?.slot === slot && (isDamaged(first) ? first.chainBefore === chain : linksTo(chain, first))
    if (!follows)
      throw new DamagedEntryError(log.group, slot as Slot, 'it does not follow the slot before it')
    for (const read of part) {
      if (isDamaged(read)) damaged.push(read)
      else tail.push(read)
    }
    slot += part.length
    chain = part.at(-1)?.chain ?? chain
  }
  return { tail, damaged }
}
