import type { BrokerId, StoreId } from '../types/ids.ts'
import type { SyncInfo } from './journal-writer.ts'
import type { DamageReport } from './log-store.ts'

/** Bounds of a store. Defaults fit a broker with thousands of groups; tests and the simulator make them small. */
export interface StoreTuning {
  /** One synced batch; a single larger persist still goes, alone. */
  readonly batchBytesMax: number
  /** Writes that wait for the disk. Beyond it the store fails: a disk so slow is a broken one. */
  readonly pendingBytesMax: number
  /** Index changes wait so long, or until they weigh so much, before they are written. */
  readonly indexDelayMs: number
  readonly indexBatchBytes: number
  /** Index changes in memory; the journal waits while there are more. */
  readonly indexPendingBytesMax: number
  /**
   * After so many bytes of later index batches a batch is in a synced table: three write buffers of the index. A simulated
   * disk may lose any batch that is younger, none that is older or that was there when the store was opened.
   */
  readonly indexSettleBytes: number
  /** Garbage that is worth a look: so many journal keys, or so many bytes of their values. */
  readonly sweepCountMin: number
  readonly sweepBytesMin: number
  /** Rows or keys deleted in one batch, so that the writer never stalls. */
  readonly sweepCountMax: number
  /** Journal bytes that are freed together: LevelDB rewrites the live part of them at once. */
  readonly sweepWindowBytes: number
  /** A window is freed when at least this share of it is garbage: below it, rewriting costs more than it gives. */
  readonly sweepShareMin: number
}

/** LevelDB's write buffer for the index. */
export const INDEX_WRITE_BUFFER_BYTES = 4 * 1024 * 1024

export const DEFAULT_STORE_TUNING: StoreTuning = {
  batchBytesMax: 4 * 1024 * 1024,
  pendingBytesMax: 256 * 1024 * 1024,
  indexDelayMs: 200,
  indexBatchBytes: 1024 * 1024,
  indexPendingBytesMax: 16 * 1024 * 1024,
  indexSettleBytes: 3 * INDEX_WRITE_BUFFER_BYTES,
  sweepCountMin: 1_000,
  sweepBytesMin: 4 * 1024 * 1024,
  sweepCountMax: 1_000,
  sweepWindowBytes: 16 * 1024 * 1024,
  sweepShareMin: 1 / 8,
}

/** What a store needs from outside: time, chance and the ears of its host. It has no timer or clock of its own. */
export interface StoreOptions {
  readonly brokerId: BrokerId
  /** Called once, when an empty folder is formatted. */
  readonly randomStoreId: () => StoreId
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Calls `run` once after the delay; it may be called late, or never after `close`. */
  readonly schedule: (run: () => void, delayMs: number) => void
  /** Called once, with the first error. Nothing is confirmed after it; the broker has to stop. */
  readonly onFailure: (error: Error) => void
  /** After each synced batch, when its `onDurable` callbacks have run: the moment to queue what has gathered. */
  readonly onIdle?: () => void
  /** One sentence for the operator: something was damaged and is mended without loss. */
  readonly onWarning?: (sentence: string) => void
  /** Entries that cannot be read back; also again and again while they are read. Called between two turns of the event loop. */
  readonly onDamaged?: (report: DamageReport) => void
  readonly onSync?: (info: SyncInfo) => void
  readonly space?: () => Promise<{ readonly freeBytes: number; readonly full: boolean }>
  readonly tuning?: Partial<StoreTuning>
}
