import { Random } from '../sim/random.ts'
import type { Operation, Outcome, PollOperation, ProduceOperation, SeenRecord } from './operation.ts'

export const READERS = ['r', 's'] as const
const PRODUCERS = ['p', 'q', 'o'] as const

/** A history as a cluster without fault gives it: every reader reads all, in pages of any size. */
export function randomHistory(seed: number): Operation[] {
  const random = new Random(seed)
  const logs: string[][] = Array.from({ length: 1 + random.integer(3) }, () => [])
  const operations: Operation[] = []
  for (let atMs = 0, count = 20 + random.integer(60); count > 0; count--) {
    const producer = random.pick(PRODUCERS)
    const values = Array.from(
      { length: random.chance(0.2) ? 2 + random.integer(3) : 1 },
      (_, index) => `${producer}-${count}-${index}`,
    )
    operations.push(write(random, logs, { producer, values, startMs: ++atMs, endMs: ++atMs }))
  }
  const positions = READERS.map((reader) => {
    operations.push({ type: 'seek', reader, next: {} })
    return logs.map(() => 0)
  })
  for (let left = positions.length * logs.length; left > 0;) {
    const who = random.integer(READERS.length)
    const partition = random.integer(logs.length)
    const from = positions[who]![partition]!
    const log = logs[partition]!
    if (from > log.length) continue
    const page = log.slice(from, from + 1 + random.integer(8))
    // A position beyond the end marks a partition that is read to its end.
    positions[who]![partition] = page.length === 0 ? log.length + 1 : from + page.length
    if (page.length === 0) left--
    else operations.push(poll(READERS[who]!, partition, from, page))
  }
  const partitions = logs.map((_, partition) => partition)
  for (const reader of READERS) operations.push({ type: 'end', reader, partitions })
  return operations
}

function write(
  random: Random,
  logs: string[][],
  request: {
    readonly producer: string
    readonly values: readonly string[]
    readonly startMs: number
    readonly endMs: number
  },
): ProduceOperation {
  const { producer, values, startMs, endMs } = request
  const outcome: Outcome = random.chance(0.7) ? 'ok' : random.chance(0.5) ? 'unknown' : 'failed'
  const isStored = outcome === 'ok' || (outcome === 'unknown' && random.chance(0.5))
  const partitions = values.map(() => random.integer(logs.length))
  const records = values.map((value, index) => {
    const partition = partitions[index]!
    const offset = isStored ? logs[partition]!.push(value) - 1 : undefined
    return { value, partition, offset: outcome === 'ok' ? offset : undefined }
  })
  return { type: 'produce', producer, identity: 'key', startMs, endMs, outcome, records }
}

function poll(reader: string, partition: number, from: number, page: readonly string[]): PollOperation {
  return {
    type: 'poll',
    reader,
    records: page.map((value, index): SeenRecord => [partition, from + index, value]),
  }
}
