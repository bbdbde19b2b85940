import { SynodError } from '../errors.ts'
import type { GroupId, Slot } from '../types/ids.ts'

/**
 * The store remembers less, or something else, than it once made durable: promises may be lost, so the broker must not
 * take part with it. `message` is one sentence for the operator.
 */
export class DamagedStoreError extends Error {
  override readonly name = 'DamagedStoreError'
}

/** The index contradicts itself or cannot be read. It is no loss: the journal holds all that the index says. */
export class DamagedIndexError extends Error {
  override readonly name = 'DamagedIndexError'
}

/** One entry cannot be read back as it was written. Nothing was handed out. */
export class DamagedEntryError extends Error {
  override readonly name = 'DamagedEntryError'
  readonly group: GroupId
  readonly slot: Slot
  /** The index may be at fault: what the journal holds was not found wrong by itself. */
  readonly isIndexSuspect: boolean

  constructor(group: GroupId, slot: Slot, reason: string, isIndexSuspect = false) {
    super(`Slot ${slot} of group ${group} is damaged: ${reason}.`)
    this.group = group
    this.slot = slot
    this.isIndexSuspect = isIndexSuspect
  }
}

/** The log was trimmed, before this read or while it was under way. Nothing was handed out, and nothing is damaged. */
export class TrimmedSlotError extends Error {
  override readonly name = 'TrimmedSlotError'

  constructor(group: GroupId, firstSlot: number, options?: ErrorOptions) {
    super(`Group ${group} begins at slot ${firstSlot} now.`, options)
  }
}

/** The data folder cannot be used by this broker, now or at all; nothing in it was changed. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}

/** What is wrong when an index rebuilt from the journal may be without it; undefined for every other error. */
export function indexDamageOf(error: unknown): string | undefined {
  if (error instanceof DamagedIndexError) return error.message
  return error instanceof DamagedEntryError && error.isIndexSuspect ? error.message : undefined
}

/** For a read of a group that was deleted, before it or while it was under way. */
export function groupGone(group: GroupId, cause?: unknown): SynodError {
  return new SynodError('not-found', `Group ${group} was deleted.`, { cause })
}
