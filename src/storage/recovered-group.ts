import type { Entry } from '../paxos/state.ts'
import type { Slot } from '../types/ids.ts'
import { readEntries } from './entry-reader.ts'
import { emptyThrough, firstSlotOf, type GroupLog } from './group-log.ts'
import { linksTo } from './journal-record.ts'
import type { KeyValue } from './key-value.ts'
import type { LogIndex } from './log-index.ts'
import type { RecoveredGroup } from './log-store.ts'
import { checkParts } from './part-reader.ts'
import { chainAt, locate } from './run-reader.ts'
import { DamagedEntryError, DamagedStoreError } from './storage-errors.ts'

const PAGE_BYTES = 8 * 1024 * 1024
/** Bodies whose runs are looked up at a time. */
const TILING_BYTES = 64 * 1024 * 1024

/** What a start hands out of a group, once the index is at the end of the journal. Throws when the log is not whole. */
export async function recoverGroup(
  journal: KeyValue,
  index: LogIndex,
  log: GroupLog,
  isRebuilt: boolean,
): Promise<RecoveredGroup> {
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
    if (isRebuilt) {
      await checkTiling(index, log)
      await checkParts(index, log)
    }
    const isWhole = applied.slot === through && log.chain !== undefined
    const chainAtApplied = isWhole ? (log.chain ?? 0) : await chainAt(index, log, applied.slot)
    const tail = applied.slot === through ? [] : await readTail(journal, index, log, chainAtApplied)
    return { group, state, applied: { ...applied, slot: applied.slot as Slot }, chainAtApplied, tail }
  } catch (error) {
    if (error instanceof DamagedEntryError && !error.isIndexSuspect)
      throw new DamagedStoreError(error.message, { cause: error })
    throw error
  }
}

/** Looks every live slot up: a rebuilt index has to cover all of them. */
async function checkTiling(index: LogIndex, log: GroupLog): Promise<void> {
  for (let slot = firstSlotOf(log); slot <= log.through;) {
    const slices = await locate(index, log, { from: slot, to: log.through, bytesMax: TILING_BYTES })
    slot = (slices.at(-1)?.last ?? log.through) + 1
  }
}

/** Entries (applied, through], every link of them verified. */
async function readTail(
  journal: KeyValue,
  index: LogIndex,
  log: GroupLog,
  chainAtApplied: number,
): Promise<readonly Entry[]> {
  const tail: Entry[] = []
  let chain = chainAtApplied
  for (let slot = log.applied.slot + 1; slot <= log.through;) {
    const part = await readEntries(journal, index, log, { from: slot, to: log.through, bytesMax: PAGE_BYTES })
    const [first] = part
    if (first?.slot !== slot || !linksTo(chain, first)) {
      throw new DamagedEntryError(log.group, slot as Slot, 'it does not follow the slot before it')
    }
    for (const entry of part) tail.push(entry)
    slot += part.length
    chain = part.at(-1)?.chain ?? chain
  }
  return tail
}
