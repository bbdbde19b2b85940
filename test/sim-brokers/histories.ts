import type { CommittedBatch } from '../../src/types/record.ts'
import type { TopicId } from '../../src/types/ids.ts'
import type { Topic } from '../../src/types/topic.ts'
import { HistoryChecker } from '../history/check-history.ts'
import type { AnomalyName } from '../history/findings.ts'
import type { ProduceOperation, SeenRecord } from '../history/operation.ts'
import type { Judge } from '../sim/judge.ts'

/** Of a topic that may be deleted nobody can read all at the end, so that what was not seen proves nothing. */
const UNSEEN: ReadonlySet<AnomalyName> = new Set(['lost-write', 'unseen', 'offset-gap'])

/** What producers were told and readers were given, by topic; the checker of test/history judges it at the end. */
export class Histories {
  readonly #checkers = new Map<TopicId, HistoryChecker>()
  /** The highest end that anybody was told, by topic and partition. */
  readonly #watermarks = new Map<string, number>()
  producedCount = 0

  produced(topic: Topic, operation: ProduceOperation): void {
    if (operation.outcome === 'ok') this.producedCount += operation.records.length
    for (const { partition, offset } of operation.records)
      if (partition !== undefined && offset !== undefined) this.told(topic, partition, offset + 1)
    this.#of(topic.id).add(operation)
  }

  /** From where on in which partitions. */
  reads(topic: Topic, reader: string, next: Readonly<Record<number, number>>): void {
    this.#of(topic.id).add({ type: 'seek', reader, next })
  }

  saw(topic: Topic, reader: string, records: readonly SeenRecord[]): void {
    if (records.length > 0) this.#of(topic.id).add({ type: 'poll', reader, records })
  }

  told(topic: Topic, partition: number, highWatermark: number): void {
    const place = `${topic.id} ${partition}`
    this.#watermarks.set(place, Math.max(this.#watermarks.get(place) ?? 0, highWatermark))
  }

  /** Where the partition ends at least, as somebody was told. */
  knownEnd(topic: Topic, partition: number): number {
    return this.#watermarks.get(`${topic.id} ${partition}`) ?? 0
  }

  /** The reader has read everything that a healed cluster has of these partitions. */
  ends(topic: Topic, reader: string, ends: readonly number[], judge: Judge): void {
    const partitions = ends.map((_, partition) => partition)
    this.#of(topic.id).add({ type: 'end', reader, partitions })
    for (const [partition, end] of ends.entries()) {
      const told = this.knownEnd(topic, partition)
      judge.demand(
        told <= end,
        'watermark',
        () => `the high watermark ${told} of ${topic.name}/${partition} was told; there are ${end} records`,
      )
    }
  }

  /** What is below may be gone. */
  trimmed(topic: TopicId, partition: number, below: number): void {
    this.#of(topic).add({ type: 'trim', partition, below })
  }

  finish(judge: Judge, isKept: (topic: TopicId) => boolean): void {
    for (const [topic, checker] of this.#checkers) {
      const { anomalies } = checker.finish()
      for (const [name, { examples }] of anomalies) {
        if (UNSEEN.has(name) && !isKept(topic)) continue
        judge.demand(false, 'history', () => `topic ${topic}: ${name}: ${examples.join(' ')}`)
      }
    }
  }

  #of(topic: TopicId): HistoryChecker {
    let checker = this.#checkers.get(topic)
    if (checker === undefined) this.#checkers.set(topic, (checker = new HistoryChecker()))
    return checker
  }
}

/** The records of batches from an offset on, as the history has them. A value's padding is left out. */
export function seenRecords(
  partition: number,
  batches: readonly CommittedBatch[],
  from: number,
): readonly SeenRecord[] {
  const seen: SeenRecord[] = []
  for (const batch of batches)
    for (const { offset, value } of batch.records)
      if (offset >= from) {
        const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
        seen.push([partition, offset, text.slice(0, text.indexOf(' '))])
      }
  return seen
}
