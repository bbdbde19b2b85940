import { invariant, unreachable } from '../../src/types/invariant.ts'
import { Findings, type AnomalyName, type Finding } from './findings.ts'
import { ObservedLog, showPlace, type Place } from './observed-log.ts'
import type {
  Operation,
  Outcome,
  PollOperation,
  ProduceOperation,
  ProducedRecord,
  TrimOperation,
} from './operation.ts'
import { ReaderOrder } from './reader-order.ts'
import { checkRealTime, type TimedRecord } from './real-time.ts'

export interface Verdict {
  /** Empty: the history keeps every promise. */
  readonly anomalies: ReadonlyMap<AnomalyName, Finding>
  /** Records by what their producers were told. */
  readonly produced: Readonly<Record<Outcome, number>>
  /** Records of unknown outcome that turned out to be stored. */
  readonly unknownStored: number
  /** Records that readers were given, all readers together. */
  readonly seen: number
}

/** Checks a whole history at once. */
export function checkHistory(operations: Iterable<Operation>): Verdict {
  const checker = new HistoryChecker()
  for (const operation of operations) checker.add(operation)
  return checker.finish()
}

/**
 * Takes a history operation by operation and says at the end what in it cannot be. Offsets give the order of a partition,
 * so nothing has to be searched: time and memory are linear in the records (but for one sort by time).
 */
export class HistoryChecker {
  readonly #findings = new Findings()
  readonly #log = new ObservedLog(this.#findings)
  readonly #readers = new ReaderOrder(this.#findings)
  readonly #produces: ProduceOperation[] = []
  readonly #sent = new Set<string>()
  /** Where each partition begins that was trimmed. */
  readonly #begins = new Map<number, number>()
  #seen = 0

  add(operation: Operation): void {
    switch (operation.type) {
      case 'produce':
        return this.#produce(operation)
      case 'poll':
        return this.#poll(operation)
      case 'seek':
        return this.#readers.seek(operation)
      case 'end':
        return this.#readers.end(operation)
      case 'trim':
        return this.#trim(operation)
      default:
        unreachable(operation)
    }
  }

  finish(): Verdict {
    const produced = { ok: 0, unknown: 0, failed: 0 }
    let unknownStored = 0
    for (const operation of this.#produces) {
      produced[operation.outcome] += operation.records.length
      for (const record of operation.records) this.#checkRecord(operation, record)
      if (operation.records.length > 1) this.#checkBatch(operation)
      if (operation.outcome === 'unknown')
        unknownStored += operation.records.filter(({ value }) => this.#log.placeOf(value)).length
    }
    for (const value of this.#log.values())
      if (!this.#sent.has(value)) this.#findings.add('never-written', `${value} was sent by nobody.`)
    this.#log.checkDense((partition) => this.#beginOf(partition))
    this.#checkAcknowledgedOffsets()
    this.#checkEnds()
    this.#checkProducerOrder()
    checkRealTime([...this.#timedRecords()], this.#findings)
    return { anomalies: this.#findings.byName, produced, unknownStored, seen: this.#seen }
  }

  #produce(operation: ProduceOperation): void {
    for (const { value } of operation.records) {
      invariant(!this.#sent.has(value), `The value ${value} is in the history of producers twice.`)
      this.#sent.add(value)
    }
    this.#produces.push(operation)
  }

  #poll(operation: PollOperation): void {
    this.#readers.poll(operation)
    this.#seen += operation.records.length
    for (const [partition, offset, value] of operation.records)
      this.#log.observe(operation.reader, { partition, offset }, value)
  }

  #trim({ partition, below }: TrimOperation): void {
    this.#begins.set(partition, Math.max(this.#beginOf(partition), below))
  }

  #beginOf(partition: number): number {
    return this.#begins.get(partition) ?? 0
  }

  #checkRecord({ producer, outcome }: ProduceOperation, record: ProducedRecord): void {
    const { value } = record
    const seen = this.#log.placeOf(value)
    if (outcome === 'failed' && seen !== undefined)
      this.#findings.add('G1a', `${value} of ${producer} was refused and is at ${showPlace(seen)}.`)
    if (outcome !== 'ok') return
    const told = placeTold(record)
    if (seen !== undefined) {
      if (told === undefined || this.#log.valueAt(told) === value) return
      this.#findings.add(
        'ack-offset-mismatch',
        `${value} is at ${showPlace(seen)}; ${producer} was told ${showPlace(told)}.`,
      )
      return
    }
    const where = told === undefined ? 'somewhere' : `at ${showPlace(told)}`
    const instead = told === undefined ? undefined : this.#log.valueAt(told)
    if (instead !== undefined)
      this.#findings.add(
        'ack-offset-mismatch',
        `${producer} was told that ${value} is ${where}, where ${instead} is.`,
      )
    // Of a duplicate whose place is forgotten nobody can say that it is still held.
    const isTrimmed = (told?.offset ?? 0) < this.#beginOf(record.partition ?? 0)
    if (isTrimmed && instead === undefined) return
    const isPassed = told !== undefined && this.#log.endOf(told.partition) > told.offset
    if (isPassed || this.#readers.ended.size > 0)
      this.#findings.add('lost-write', `${value} of ${producer}, acknowledged ${where}, is nowhere.`)
    else this.#findings.add('unseen', `${value} of ${producer}, acknowledged ${where}, was seen by nobody.`)
  }

  /** Records of one batch for one partition are one entry of its log: there together and side by side, or not at all. */
  #checkBatch({ producer, records }: ProduceOperation): void {
    const last = new Map<number, number>()
    const stored = new Map<number, { readonly there: string[]; readonly missing: string[] }>()
    for (const record of records) {
      const place = this.#placeOf(record)
      const partition = place?.partition ?? record.partition
      if (partition === undefined) continue
      const part = stored.get(partition) ?? { there: [], missing: [] }
      stored.set(partition, part)
      if (place === undefined) {
        part.missing.push(record.value)
        continue
      }
      part.there.push(record.value)
      const before = last.get(partition)
      if (before !== undefined && place.offset !== before + 1)
        this.#findings.add(
          'int-send-skip',
          `${record.value} of ${producer} is at ${showPlace(place)}, the record before it in its batch at ${before}.`,
        )
      last.set(partition, place.offset)
    }
    for (const [partition, { there, missing }] of stored)
      if (there.length > 0 && missing.length > 0)
        this.#findings.add(
          'torn-batch',
          `Of a batch of ${producer}, ${there[0]} is in partition ${partition} and ${missing[0]} is not.`,
        )
  }

  /** Two receipts never name one place, whether anybody saw it or not. */
  #checkAcknowledgedOffsets(): void {
    const acknowledged = new Map<string, string>()
    for (const operation of this.#produces) {
      if (operation.outcome !== 'ok') continue
      for (const record of operation.records) {
        const told = placeTold(record)
        if (told === undefined) continue
        const key = showPlace(told)
        const other = acknowledged.get(key)
        if (other === undefined) acknowledged.set(key, record.value)
        else
          this.#findings.add(
            'inconsistent-offsets',
            `${other} and ${record.value} were both acknowledged at ${key}.`,
          )
      }
    }
  }

  /** After healing every reader gets to the end of what is acknowledged. */
  #checkEnds(): void {
    const ends = new Map<number, number>()
    for (const operation of this.#produces) {
      if (operation.outcome !== 'ok') continue
      for (const record of operation.records) {
        const place = this.#placeOf(record)
        if (place !== undefined)
          ends.set(place.partition, Math.max(ends.get(place.partition) ?? 0, place.offset + 1))
      }
    }
    for (const [reader, positions] of this.#readers.ended)
      for (const [partition, position] of positions) {
        const end = ends.get(partition) ?? 0
        if (position < end)
          this.#findings.add(
            'unseen',
            `${reader} has read ${showPlace({ partition, offset: position })} not, of ${end} acknowledged.`,
          )
      }
  }

  /**
   * A producer that sends one record after the other finds them in this order. A record of unknown outcome without a
   * sequence number may still be under way when the next one is sent, and come later.
   */
  #checkProducerOrder(): void {
    const last = new Map<string, { readonly offset: number; readonly value: string }>()
    for (const { producer, identity, outcome, records } of this.#produces) {
      for (const record of records) {
        const place = this.#placeOf(record)
        if (place === undefined) continue
        const key = `${place.partition} ${producer}`
        const before = last.get(key)
        if (before !== undefined && place.offset < before.offset)
          this.#findings.add(
            'order-inversion',
            `${record.value} of ${producer} is at ${showPlace(place)}, before its earlier ${before.value} at ${before.offset}.`,
          )
        else if (outcome === 'ok' || identity === 'sequence')
          last.set(key, { offset: place.offset, value: record.value })
      }
    }
  }

  *#timedRecords(): Generator<TimedRecord> {
    for (const { records, outcome, startMs, endMs } of this.#produces)
      for (const record of records) {
        const place = this.#placeOf(record)
        if (place === undefined) continue
        yield { value: record.value, place, startMs, endMs: outcome === 'ok' ? endMs : undefined }
      }
  }

  /** Where it was seen, else where it was acknowledged. */
  #placeOf(record: ProducedRecord): Place | undefined {
    return this.#log.placeOf(record.value) ?? placeTold(record)
  }
}

function placeTold({ partition, offset }: ProducedRecord): Place | undefined {
  return partition === undefined || offset === undefined ? undefined : { partition, offset }
}
