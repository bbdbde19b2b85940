import { MemoryIdentityFile } from './identity.ts'
import { JournaledStore, type StoreFiles } from './journaled-store.ts'
import { MemoryKeyValue } from './memory-key-value.ts'
import { MemoryNotes } from './notes.ts'
import type { StoreOptions } from './options.ts'

/** What outlives a store in memory: open it again to restart a broker. */
export interface MemoryDisk extends StoreFiles {
  readonly journal: MemoryKeyValue
  readonly index: MemoryKeyValue
  readonly identity: MemoryIdentityFile
}

export function memoryDisk(): MemoryDisk {
  return {
    journal: new MemoryKeyValue(),
    index: new MemoryKeyValue(),
    identity: new MemoryIdentityFile(),
    notes: new MemoryNotes(),
  }
}

/** A LogStore without files, with the journal, index and recovery of the real one. */
export async function openMemoryStore(disk: StoreFiles, options: StoreOptions): Promise<JournaledStore> {
  return await JournaledStore.open(disk, options)
}
