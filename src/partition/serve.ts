import { crc32 } from 'node:zlib'
import type { BrokerId, GroupId } from '../types/ids.ts'
import { slot } from '../types/ids.ts'
import type { Effect } from '../paxos/effects.ts'
import type { Message } from '../paxos/messages.ts'
import type { LogStore } from '../storage/log-store.ts'
import { TrimmedSlotError } from '../storage/storage-errors.ts'

/** Bytes of chosen entries in one SyncChunk (consensus 1.10). */
const SYNC_CHUNK_BYTES_MAX = 1024 * 1024

/** What a pull is answered with, and where. */
export interface ServingHost {
  readonly store: LogStore
  send(to: BrokerId, group: GroupId, message: Message): void
  fatal(error: unknown): void
}

/**
 * Answers a pull from the store: chosen entries only, so it may come late or twice. A group deleted meanwhile stays silent, and
 * so does one that was trimmed: asked once more, it answers with a checkpoint.
 */
export async function readAndSend(
  host: ServingHost,
  group: GroupId,
  pull: Pick<Extract<Effect, { kind: 'serve' }>, 'to' | 'fromSlot' | 'commit'>,
): Promise<void> {
  const { to, fromSlot, commit } = pull
  await answer(host, async () => {
    const entries = await host.store.readEntries(group, slot(fromSlot), commit, SYNC_CHUNK_BYTES_MAX)
    if (entries.length > 0) host.send(to, group, { kind: 'syncChunk', fromSlot, entries, commit })
  })
}

/** As `readAndSend`, for one part of a checkpoint. */
export async function readPartAndSend(
  host: ServingHost,
  group: GroupId,
  pull: Pick<Extract<Effect, { kind: 'serveReset' }>, 'to' | 'checkpoint' | 'part'>,
): Promise<void> {
  const { to, checkpoint, part } = pull
  await answer(host, async () => {
    const isEmpty = checkpoint.partCount === 0
    const rows = isEmpty ? new Uint8Array(0) : await host.store.readPart(group, checkpoint.slot, part)
    if (rows !== undefined)
      host.send(to, group, { kind: 'syncReset', checkpoint, part, rows, crc: crc32(rows) })
  })
}

async function answer(host: ServingHost, read: () => Promise<void>): Promise<void> {
  try {
    await read()
  } catch (error) {
    if (error instanceof TrimmedSlotError) return
    if (error instanceof Error && 'code' in error && error.code === 'not-found') return
    host.fatal(error)
  }
}
