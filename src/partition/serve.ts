import type { BrokerId, GroupId, Slot } from '../types/ids.ts'
import { slot } from '../types/ids.ts'
import { sameBallot, type Ballot } from '../paxos/ballot.ts'
import type { Message } from '../paxos/messages.ts'
import type { LogStore } from '../storage/log-store.ts'
import { DamagedEntryError, DamagedIndexError } from '../storage/storage-errors.ts'

/** Bytes of chosen entries in one SyncChunk (consensus 1.10). */
const SYNC_CHUNK_BYTES_MAX = 1024 * 1024

interface ServingHost {
  readonly store: LogStore
  send(to: BrokerId, group: GroupId, message: Message): void
  fatal(error: unknown): void
}

/** Answers a pull from the store: chosen entries only, so it may come late or twice. */
export async function readAndSend(
  host: ServingHost,
  group: GroupId,
  pull: { readonly to: BrokerId; readonly fromSlot: Slot; readonly commit: Slot },
): Promise<void> {
  await unlessUnreadable(host, async () => {
    const entries = await host.store.readEntries(
      group,
      slot(pull.fromSlot),
      pull.commit,
      SYNC_CHUNK_BYTES_MAX,
    )
    if (entries.length > 0)
      host.send(pull.to, group, { kind: 'syncChunk', fromSlot: pull.fromSlot, entries, commit: pull.commit })
  })
}

/** Sends a copy of an entry to one whose own is damaged, if the store holds that very entry. */
export async function readForRepair(
  host: ServingHost,
  group: GroupId,
  wanted: {
    readonly to: BrokerId
    readonly slot: Slot
    readonly origin: Ballot
    readonly chain: number
  },
): Promise<void> {
  await unlessUnreadable(host, async () => {
    const [entry] = await host.store.readEntries(group, wanted.slot, wanted.slot, 1)
    if (entry?.chain === wanted.chain && sameBallot(entry.origin, wanted.origin))
      host.send(wanted.to, group, { kind: 'repairResponse', entry })
  })
}

/**
 * Silence makes the one who asks turn to another replica: a group deleted meanwhile has nothing to say, and what is damaged
 * here the store has told already: entries to the replica, the index to the operator and the next start, which rebuilds it.
 */
async function unlessUnreadable(host: ServingHost, serve: () => Promise<void>): Promise<void> {
  try {
    await serve()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'not-found') return
    if (!isDamagedHere(error)) host.fatal(error)
  }
}

/** What this broker's disk cannot give back: entries, or the rows of the index by which they are found. Others may. */
export function isDamagedHere(error: unknown): boolean {
  return error instanceof DamagedEntryError || error instanceof DamagedIndexError
}
