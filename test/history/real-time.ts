import type { Findings } from './findings.ts'
import { showPlace, type Place } from './observed-log.ts'

/** A record that is stored, and between which two moments that happened; `endMs` is undefined if nobody was told. */
export interface TimedRecord {
  readonly value: string
  readonly place: Place
  readonly startMs: number
  readonly endMs: number | undefined
}

/**
 * What was acknowledged before another record was even sent is before it in their partition, whoever sent them.
 * Sorted by time, so this one check costs n log n.
 */
export function checkRealTime(records: readonly TimedRecord[], findings: Findings): void {
  const byStart = records.toSorted((a, b) => a.startMs - b.startMs)
  const byEnd = records
    .flatMap(({ value, place, endMs }) => (endMs === undefined ? [] : [{ value, place, endMs }]))
    .sort((a, b) => a.endMs - b.endMs)
  const highest = new Map<number, { readonly offset: number; readonly value: string }>()
  let ended = 0
  for (const { value, place, startMs } of byStart) {
    for (; ended < byEnd.length && byEnd[ended]!.endMs < startMs; ended++) {
      const each = byEnd[ended]!
      const before = highest.get(each.place.partition)
      if (before === undefined || before.offset < each.place.offset)
        highest.set(each.place.partition, { offset: each.place.offset, value: each.value })
    }
    const floor = highest.get(place.partition)
    if (floor !== undefined && floor.offset > place.offset)
      findings.add(
        'real-time-inversion',
        `${value} is at ${showPlace(place)}, before ${floor.value} at ${floor.offset}, which was acknowledged before it was sent.`,
      )
  }
}
