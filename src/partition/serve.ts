import type { BrokerId, GroupId, Slot } from '../types/ids.ts'
import type { Message } from '../paxos/messages.ts'
import type { LogStore } from '../storage/log-store.ts'
import { slot } from '../types/ids.ts'

/** Bytes of chosen entries in one SyncChunk (consensus 1.10). */
const SYNC_CHUNK_BYTES_MAX = 1024 * 1024

/** Answers a pull from the store: chosen entries only, so it may come late or twice. A group deleted meanwhile stays silent. */
export async function readAndSend(
  host: {
    readonly store: LogStore
    send(to: BrokerId, group: GroupId, message: Message): void
    fatal(error: unknown): void
  },
  group: GroupId,
  pull: { readonly to: BrokerId; readonly fromSlot: Slot; readonly commit: Slot },
): Promise<void> {
  try {
    const entries = await host.store.readEntries(
      group,
      slot(pull.fromSlot),
      pull.commit,
      SYNC_CHUNK_BYTES_MAX,
    )
    if (entries.length > 0)
      host.send(pull.to, group, { kind: 'syncChunk', fromSlot: pull.fromSlot, entries, commit: pull.commit })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'not-found') return
    host.fatal(error)
  }
}
