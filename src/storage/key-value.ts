/** One change of a batch. Keys and values belong to the database once they are handed over: they are never changed later. */
export type Operation =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array }

export interface Pair {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

/** Keys from `from` (inclusive) to `below` (exclusive). */
export interface KeyRange {
  readonly from: Uint8Array
  readonly below: Uint8Array
}

export interface Scan extends KeyRange {
  /** From the highest key down. */
  readonly reverse?: boolean
  readonly countMax: number
  /** Stops after the pair that reaches it. Default: no bound. */
  readonly bytesMax?: number
}

/**
 * All that storage needs of an ordered database: LevelDB on a disk, or its twin in memory. Keys are ordered as unsigned
 * bytes. An operation that rejects leaves the outcome unknown; the store that uses it stops then.
 */
export interface KeyValue {
  /** All operations or none, in order. With `sync` they survive a power cut when the promise resolves. */
  batch(operations: readonly Operation[], options: { readonly sync: boolean }): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** In the order of the keys. */
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>
  /** One page in key order. A page shorter than `countMax` and `bytesMax` allow is the last one. */
  scan(scan: Scan): Promise<readonly Pair[]>
  /** About how many bytes the database's files hold of the range, garbage included; what is only in memory does not count. */
  sizeOf(range: KeyRange): Promise<number>
  /**
   * Gives the disk back what deletes left in the range, as far as a call for any range came between what was put and its
   * delete: what LevelDB has in memory it writes as it is, deletes beside what they delete. When it resolves, every batch
   * that had resolved before the call survives a power cut, synced or not.
   */
  compact(range: KeyRange): Promise<void>
  close(): Promise<void>
}

/** What a batch weighs: the sum of its keys and values. LevelDB's write buffers fill at least as fast. */
export function operationBytes(operations: readonly Operation[]): number {
  let bytes = 0
  for (const operation of operations) {
    bytes += operation.key.length + (operation.type === 'put' ? operation.value.length : 0)
  }
  return bytes
}

/** Reads a whole range page by page, so that neither memory nor one database call grows with the range. */
export async function* scanPages(database: KeyValue, scan: Scan): AsyncGenerator<readonly Pair[]> {
  let from = scan.from
  for (;;) {
    const page = await database.scan({ ...scan, from })
    const last = page.at(-1)
    if (last === undefined) return
    yield page
    if (page.length < scan.countMax && !reachesBytes(page, scan.bytesMax)) return
    from = keyAfter(last.key)
  }
}

function reachesBytes(page: readonly Pair[], bytesMax: number | undefined): boolean {
  if (bytesMax === undefined) return false
  let bytes = 0
  for (const pair of page) bytes += pair.key.length + pair.value.length
  return bytes >= bytesMax
}

/** The lowest key that is higher than this one. */
function keyAfter(key: Uint8Array): Uint8Array {
  const next = Buffer.alloc(key.length + 1)
  next.set(key)
  return next
}
