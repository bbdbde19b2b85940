import type { Findings } from './findings.ts'

export interface Place {
  readonly partition: number
  readonly offset: number
}

export function showPlace({ partition, offset }: Place): string {
  return `${partition}@${offset}`
}

interface ObservedPartition {
  readonly values: Map<number, string>
  /** One more than the highest offset that was seen. */
  end: number
}

/** The log of each partition, put together of everything that anybody saw of it. */
export class ObservedLog {
  readonly #findings: Findings
  readonly #partitions = new Map<number, ObservedPartition>()
  readonly #places = new Map<string, Place>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  observe(reader: string, place: Place, value: string): void {
    const partition = this.#partition(place.partition)
    partition.end = Math.max(partition.end, place.offset + 1)
    const known = partition.values.get(place.offset)
    if (known === value) return
    if (known !== undefined) {
      this.#findings.add(
        'inconsistent-offsets',
        `${reader} saw ${value} at ${showPlace(place)}, where ${known} was seen before.`,
      )
      return
    }
    partition.values.set(place.offset, value)
    const other = this.#places.get(value)
    if (other === undefined) this.#places.set(value, place)
    else this.#findings.add('duplicate', `${value} is at ${showPlace(other)} and at ${showPlace(place)}.`)
  }

  /** Where the value was seen first. */
  placeOf(value: string): Place | undefined {
    return this.#places.get(value)
  }

  valueAt({ partition, offset }: Place): string | undefined {
    return this.#partitions.get(partition)?.values.get(offset)
  }

  /** One more than the highest offset that was seen. */
  endOf(partition: number): number {
    return this.#partitions.get(partition)?.end ?? 0
  }

  values(): IterableIterator<string> {
    return this.#places.keys()
  }

  /** Offsets begin at 0, or where the partition begins, and leave none out. */
  checkDense(beginOf: (partition: number) => number): void {
    for (const [partition, { values, end }] of this.#partitions) {
      if (values.size === end) continue
      for (let offset = beginOf(partition); offset < end; offset++)
        if (!values.has(offset))
          this.#findings.add('offset-gap', `Nothing was seen at ${showPlace({ partition, offset })}.`)
    }
  }

  #partition(partition: number): ObservedPartition {
    let found = this.#partitions.get(partition)
    if (found === undefined) this.#partitions.set(partition, (found = { values: new Map(), end: 0 }))
    return found
  }
}
