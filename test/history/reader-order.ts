import type { Findings } from './findings.ts'
import { showPlace } from './observed-log.ts'
import type { EndOperation, PollOperation, SeekOperation } from './operation.ts'

interface ReaderState {
  /** The offset that is due, by partition. */
  readonly due: Map<number, number>
  /** What is due in partitions that are not in `due`: 0 after a seek, anything for a reader that never told its start. */
  restDue: 0 | undefined
}

/** Follows each reader: what it is given must be exactly what is due, record by record. */
export class ReaderOrder {
  readonly #findings: Findings
  readonly #readers = new Map<string, ReaderState>()
  readonly #ended = new Map<string, ReadonlyMap<number, number>>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  seek({ reader, next }: SeekOperation): void {
    const due = new Map(Object.entries(next).map(([partition, offset]) => [Number(partition), offset]))
    this.#readers.set(reader, { due, restDue: 0 })
  }

  poll({ reader, records }: PollOperation): void {
    const state = this.#reader(reader)
    const seenHere = new Set<number>()
    for (const [partition, offset] of records) {
      const due = state.due.get(partition) ?? state.restDue
      if (due !== undefined && offset !== due) {
        const isInside = seenHere.has(partition)
        const [backwards, skip] = isInside
          ? (['int-nonmonotonic-poll', 'int-poll-skip'] as const)
          : (['nonmonotonic-poll', 'poll-skip'] as const)
        this.#findings.add(
          offset < due ? backwards : skip,
          `${reader} was given ${showPlace({ partition, offset })} when ${due} was due.`,
        )
      }
      seenHere.add(partition)
      state.due.set(partition, offset + 1)
    }
  }

  end({ reader, partitions }: EndOperation): void {
    const { due } = this.#reader(reader)
    this.#ended.set(reader, new Map(partitions.map((partition) => [partition, due.get(partition) ?? 0])))
  }

  /** By reader that read all there was: where it ended in each partition. */
  get ended(): ReadonlyMap<string, ReadonlyMap<number, number>> {
    return this.#ended
  }

  #reader(reader: string): ReaderState {
    let found = this.#readers.get(reader)
    if (found === undefined) this.#readers.set(reader, (found = { due: new Map(), restDue: undefined }))
    return found
  }
}
