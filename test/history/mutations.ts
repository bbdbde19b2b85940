import type { Random } from '../sim/random.ts'
import type { AnomalyName } from './findings.ts'
import type { Operation, PollOperation, ProduceOperation, ProducedRecord, SeenRecord } from './operation.ts'

/** A history that is wrong in one way; undefined when this one has nothing to be spoiled in that way. */
export type Mutation = (history: readonly Operation[], random: Random) => readonly Operation[] | undefined

/** One for each anomaly that can be planted alone: the checker must find at least the one that names it. */
export const MUTATIONS: Partial<Record<AnomalyName, Mutation>> = {
  'inconsistent-offsets': (history, random) =>
    changePoll(history, random, isAny, (records, at) =>
      records.with(at, [records[at]![0], records[at]![1], `${records[at]![2]}-changed`]),
    ),
  G1a: (history, random) =>
    changeStored(history, random, (operation) => ({ ...operation, outcome: 'failed' })),
  'never-written': (history, random) => {
    const operation = pick(history.filter(isAcknowledged), random)
    return operation === undefined ? undefined : history.filter((each) => each !== operation)
  },
  'lost-write': (history, random) => {
    const record = pick(acknowledgedRecords(history), random)
    return record === undefined ? undefined : withoutValue(history, record.value)
  },
  duplicate: (history, random) =>
    changePoll(history, random, isAny, (records, at) =>
      records.with(at, [records[at]![0], records[at]![1] + 1_000, records[at]![2]]),
    ),
  'ack-offset-mismatch': (history, random) =>
    changeStored(history, random, (operation) => ({
      ...operation,
      records: operation.records.with(0, {
        ...operation.records[0]!,
        offset: operation.records[0]!.offset! + 1 + random.integer(3),
      }),
    })),
  'offset-gap': (history, random) => {
    const values = new Set(
      history.filter(isPoll).flatMap(({ records }) => records.map(([, , value]) => value)),
    )
    const lasts = new Set([...lastOfPartitions(history)])
    const value = pick(
      [...values].filter((each) => !lasts.has(each)),
      random,
    )
    return value === undefined ? undefined : withoutValue(history, value)
  },
  unseen: (history, random) => {
    const acknowledged = new Map(acknowledgedRecords(history).map((record) => [record.value, record]))
    const last = pick(
      [...lastOfPartitions(history)].filter((value) => acknowledged.has(value)),
      random,
    )
    const reader = random.pick(['r', 's'])
    return last === undefined ? undefined : withoutValue(history, last, reader)
  },
  'poll-skip': (history, random) =>
    changePoll(
      history,
      random,
      (records, at) => at === 0 && records.length > 1,
      (records) => records.slice(1),
    ),
  'nonmonotonic-poll': (history, random) =>
    changePoll(
      history,
      random,
      ([first], at) => at === 0 && first![1] > 0,
      (records) => [[records[0]![0], records[0]![1] - 1, valueBefore(history, records[0]!)], ...records],
    ),
  'int-poll-skip': (history, random) =>
    changePoll(
      history,
      random,
      (records, at) => at > 0 && at < records.length - 1,
      (records, at) => records.toSpliced(at, 1),
    ),
  'int-nonmonotonic-poll': (history, random) =>
    changePoll(
      history,
      random,
      (_, at) => at > 0,
      (records, at) => records.toSpliced(at + 1, 0, records[at - 1]!),
    ),
  'int-send-skip': (history, random) => swapStored(history, random, isWithinBatch),
  'torn-batch': (history, random) => {
    const batches = history.filter(isProduce).filter(({ records }) => {
      return records.some((record, index) => isStoredTwiceIn(records, record, index))
    })
    const batch = pick(batches.filter(isAcknowledged), random)
    const record = batch?.records.find((each, index) => isStoredTwiceIn(batch.records, each, index))
    if (batch === undefined || record === undefined) return undefined
    const isUnknown = batch.records.map(({ value, partition }) => ({ value, partition }))
    const changed = history.map((each) =>
      each === batch ? { ...batch, outcome: 'unknown' as const, records: isUnknown } : each,
    )
    return withoutValue(changed, record.value)
  },
  'order-inversion': (history, random) => swapStored(history, random, isSameProducer),
  'real-time-inversion': (history, random) => swapStored(history, random, isOtherProducer),
}

interface Stored {
  readonly operation: ProduceOperation
  readonly record: ProducedRecord
}

const isAny = (): boolean => true
const isPoll = (operation: Operation): operation is PollOperation => operation.type === 'poll'
const isProduce = (operation: Operation): operation is ProduceOperation => operation.type === 'produce'
const isAcknowledged = (operation: Operation): operation is ProduceOperation =>
  isProduce(operation) && operation.outcome === 'ok'
const isSameProducer = (a: Stored, b: Stored): boolean =>
  a.operation !== b.operation && a.operation.producer === b.operation.producer
const isOtherProducer = (a: Stored, b: Stored): boolean => a.operation.producer !== b.operation.producer
const isWithinBatch = (a: Stored, b: Stored): boolean => a.operation === b.operation

function isStoredTwiceIn(records: readonly ProducedRecord[], record: ProducedRecord, index: number): boolean {
  return records.some((other, at) => at !== index && other.partition === record.partition)
}

function pick<T>(choices: readonly T[], random: Random): T | undefined {
  return choices.length === 0 ? undefined : random.pick(choices)
}

function acknowledgedRecords(history: readonly Operation[]): readonly ProducedRecord[] {
  return history.filter(isAcknowledged).flatMap(({ records }) => records)
}

function lastOfPartitions(history: readonly Operation[]): IterableIterator<string> {
  const last = new Map<number, SeenRecord>()
  for (const { records } of history.filter(isPoll))
    for (const record of records)
      if (record[1] >= (last.get(record[0])?.[1] ?? 0)) last.set(record[0], record)
  return [...last.values()].map(([, , value]) => value).values()
}

function valueBefore(history: readonly Operation[], [partition, offset]: SeenRecord): string {
  const seen = history.filter(isPoll).flatMap(({ records }) => records)
  return seen.find((record) => record[0] === partition && record[1] === offset - 1)![2]
}

function withoutValue(history: readonly Operation[], value: string, reader?: string): readonly Operation[] {
  return history.map((operation) =>
    isPoll(operation) && operation.reader === (reader ?? operation.reader)
      ? { ...operation, records: operation.records.filter((record) => record[2] !== value) }
      : operation,
  )
}

/** Changes one frame of one reader at one record for which `fits` says that it can be. */
function changePoll(
  history: readonly Operation[],
  random: Random,
  fits: (records: readonly SeenRecord[], at: number) => boolean,
  change: (records: readonly SeenRecord[], at: number) => readonly SeenRecord[],
): readonly Operation[] | undefined {
  const places = history
    .filter(isPoll)
    .flatMap((operation) =>
      operation.records.flatMap((_, at) => (fits(operation.records, at) ? [{ operation, at }] : [])),
    )
  const place = pick(places, random)
  if (place === undefined) return undefined
  const records = change(place.operation.records, place.at)
  return history.map((each) => (each === place.operation ? { ...place.operation, records } : each))
}

function changeStored(
  history: readonly Operation[],
  random: Random,
  change: (operation: ProduceOperation) => ProduceOperation,
): readonly Operation[] | undefined {
  const operation = pick(history.filter(isAcknowledged), random)
  return operation === undefined
    ? undefined
    : history.map((each) => (each === operation ? change(operation) : each))
}

/** Two acknowledged records of one partition change places, for all readers and in their receipts. */
function swapStored(
  history: readonly Operation[],
  random: Random,
  fits: (a: Stored, b: Stored) => boolean,
): readonly Operation[] | undefined {
  const stored = history
    .filter(isAcknowledged)
    .flatMap((operation) => operation.records.map((record) => ({ operation, record })))
  const pairs = stored.flatMap((a, index) =>
    stored
      .slice(index + 1)
      .filter((b) => a.record.partition === b.record.partition && fits(a, b))
      .map((b) => [a.record, b.record] as const),
  )
  const pair = pick(pairs, random)
  if (pair === undefined) return undefined
  const [a, b] = pair
  const other = new Map([
    [a.value, b],
    [b.value, a],
  ])
  return history.map((operation): Operation => {
    if (isPoll(operation))
      return {
        ...operation,
        records: operation.records.map(([partition, offset, value]): SeenRecord => [
          partition,
          offset,
          other.get(value)?.value ?? value,
        ]),
      }
    if (!isProduce(operation)) return operation
    return {
      ...operation,
      records: operation.records.map((record) => ({
        ...record,
        offset: (other.get(record.value) ?? record).offset,
      })),
    }
  })
}
