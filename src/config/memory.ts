const MIB = 2 ** 20

/** Below this a broker has no room to work: node itself takes about 80 MiB, the buffers of LevelDB 40. */
export const MEMORY_BYTES_MIN = 128 * MIB

/** What each cache, queue and buffer of a broker may hold at most, in bytes. */
export interface MemoryShares {
  /** The newest batches of all partitions. */
  readonly tailCacheBytes: number
  /** Produces that wait to be appended; beyond it 'overloaded'. */
  readonly appendQueueBytesMax: number
  /** Bodies of requests under way, until they are stored; beyond it 'overloaded'. */
  readonly bodyBytesMax: number
  /** Those of produces that have come whole; beyond it 'overloaded'. */
  readonly storingBytesMax: number
  /** Lines of ingests without a receipt; beyond it no more is read. */
  readonly ingestBytesMax: number
  /** Answers that have not left yet; beyond it 'overloaded'. */
  readonly answerBytesMax: number
  /** Frames of sessions that have begun and not ended; beyond it 1013. */
  readonly sessionBytesMax: number
}

/**
 * Shares of the memory that a broker may take. Together they are a third of it: the same bytes lie in more than one of them, node
 * frees what is done with late, and the rest (indexes, connections, LevelDB) grows with what a cluster holds.
 */
export function memoryShares(bytes: number): MemoryShares {
  return {
    tailCacheBytes: bytes / 32,
    appendQueueBytesMax: bytes / 16,
    bodyBytesMax: bytes / 16,
    storingBytesMax: bytes / 64,
    ingestBytesMax: bytes / 16,
    answerBytesMax: bytes / 16,
    sessionBytesMax: bytes / 16,
  }
}

const UNITS: Readonly<Record<string, number>> = { MiB: MIB, GiB: 1024 * MIB }

/** Bytes of a size as '512MiB' or '2GiB'; undefined for any other text. */
export function bytesOfSize(text: string): number | undefined {
  const [, count = '', unit = ''] = /^(\d{1,6})(MiB|GiB)$/.exec(text) ?? []
  return unit === '' ? undefined : Number(count) * UNITS[unit]!
}
