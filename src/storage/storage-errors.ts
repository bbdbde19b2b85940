import type { GroupId, Slot } from '../types/ids.ts'

/**
 * The store remembers less, or something else, than it once made durable: promises may be lost, so the broker must not
 * take part with it. `message` is one sentence for the operator.
 */
export class DamagedStoreError extends Error {
  override readonly name = 'DamagedStoreError'
}

/** One entry cannot be read back as it was written. Nothing was handed out. */
export class DamagedEntryError extends Error {
  override readonly name = 'DamagedEntryError'
  readonly group: GroupId
  readonly slot: Slot

  constructor(group: GroupId, slot: Slot, reason: string) {
    super(`Slot ${slot} of group ${group} is damaged: ${reason}.`)
    this.group = group
    this.slot = slot
  }
}

/** The data folder cannot be used by this broker, now or at all; nothing in it was changed. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
}
