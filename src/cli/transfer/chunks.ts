import type { ImportedRecord } from './record-line.ts'

/** Records of one partition that go in one request. */
export interface Chunk {
  readonly partition: number
  /** How many records of the import went to this partition before. */
  readonly seq: number
  readonly records: readonly ImportedRecord[]
}

export interface ChunkBounds {
  readonly recordsMax: number
  readonly bytesMax: number
  /** Of all partitions together, waiting to be sent. */
  readonly waitingBytesMax: number
}

/**
 * Cuts a sequence of records into requests. Where it cuts follows from the records alone, never from when they came: a
 * repeat of the same import makes the same requests, and the cluster knows them again.
 */
export class Chunks {
  readonly #bounds: ChunkBounds
  readonly #waiting = new Map<number, { records: ImportedRecord[]; bytes: number }>()
  readonly #seqs = new Map<number, number>()
  #waitingBytes = 0

  constructor(bounds: ChunkBounds) {
    this.#bounds = bounds
  }

  /** The chunks that are to be sent now; chunks of one partition in their order. */
  add(record: ImportedRecord): readonly Chunk[] {
    const { recordsMax, bytesMax, waitingBytesMax } = this.#bounds
    const { partition, bytes } = record
    const before = this.#waiting.get(partition)
    const isAlone = typeof record.body !== 'string'
    const isTooMuch = before !== undefined && (isAlone || before.bytes + bytes > bytesMax)
    const cut = isTooMuch ? this.#take(partition) : []
    const waiting = this.#waiting.get(partition) ?? { records: [], bytes: 0 }
    this.#waiting.set(partition, waiting)
    waiting.records.push(record)
    waiting.bytes += bytes
    this.#waitingBytes += bytes
    if (isAlone || waiting.records.length >= recordsMax) cut.push(...this.#take(partition))
    return this.#waitingBytes > waitingBytesMax ? [...cut, ...this.rest()] : cut
  }

  /** Everything that still waits. */
  rest(): readonly Chunk[] {
    return [...this.#waiting.keys()].flatMap((partition) => this.#take(partition))
  }

  #take(partition: number): Chunk[] {
    const waiting = this.#waiting.get(partition)
    if (waiting === undefined) return []
    this.#waiting.delete(partition)
    this.#waitingBytes -= waiting.bytes
    const seq = this.#seqs.get(partition) ?? 0
    this.#seqs.set(partition, seq + waiting.records.length)
    return [{ partition, seq, records: waiting.records }]
  }
}
