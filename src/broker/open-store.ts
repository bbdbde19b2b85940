import { join } from 'node:path'
import { readFile } from 'node:fs/promises'
import { parseIdentity } from '../storage/identity.ts'
import { LevelLogStore, type LevelStoreOptions } from '../storage/level-log-store.ts'
import { NotesOnDisk } from '../storage/notes.ts'
import { setStoreAside } from '../storage/set-aside.ts'
import { DamagedStoreError } from '../storage/storage-errors.ts'

export interface OpenStoreOptions extends LevelStoreOptions {
  /** Others hold the data too. A broker alone has nobody to get it from: its damaged store is never replaced. */
  readonly hasPeers: boolean
  warn(sentence: string): void
}

/**
 * Opens a broker's store. One that is damaged as a whole, or that an earlier start found to be, is set aside, and an empty one
 * takes its place: it has no vote, and asks for one (consensus 1.16). Errors: as `openLevelStore`.
 */
export async function openBrokerStore(folder: string, options: OpenStoreOptions): Promise<LevelLogStore> {
  const { hasPeers, warn, ...storeOptions } = options
  const present = await storeIdIn(folder)
  const reason = present === undefined ? undefined : await whyOutsider(folder, present)
  if (reason !== undefined && present !== undefined && hasPeers) {
    warn(`${reason} It is set aside as ${join(folder, await setStoreAside(folder, present))}.`)
    return openReplacement(folder, present, storeOptions)
  }
  try {
    return await LevelLogStore.open(folder, storeOptions)
  } catch (error) {
    if (!(error instanceof DamagedStoreError) || !hasPeers) throw error
    const storeId = present ?? 'unknown'
    warn(`${error.message} The store is set aside as ${join(folder, await setStoreAside(folder, storeId))}.`)
    return openReplacement(folder, storeId, storeOptions)
  }
}

/** The note keeps the new store from ever founding a cluster: all stores of one may have been damaged at once. */
async function openReplacement(
  folder: string,
  replaced: string,
  options: LevelStoreOptions,
): Promise<LevelLogStore> {
  await new NotesOnDisk(folder).write('replaces', { storeId: replaced })
  return LevelLogStore.open(folder, options)
}

async function whyOutsider(folder: string, present: string): Promise<string | undefined> {
  const { storeId, reason } = ((await new NotesOnDisk(folder).read('outsider')) ?? {}) as Record<
    string,
    unknown
  >
  return storeId === present ? String(reason) : undefined
}

async function storeIdIn(folder: string): Promise<string | undefined> {
  try {
    return parseIdentity(await readFile(join(folder, 'store.json'), 'utf8'))?.storeId
  } catch {
    // Not there, or not readable: opening the store says what that means.
    return undefined
  }
}
