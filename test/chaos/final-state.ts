import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { Operation, SeenRecord } from '../history/operation.ts'
import { topicOf } from '../system/api.ts'
import { eventually } from '../support/eventually.ts'
import { beginsAt } from './begins.ts'
import { valueOf } from './sending.ts'

/** Until every broker says that each partition has a leader and all its replicas in sync. The high watermarks. */
export function untilInSync(
  urls: readonly string[],
  topic: string,
  options: { readonly replicas: number; readonly timeoutMs: number },
): Promise<ReadonlyMap<number, number>> {
  return eventually(
    async () => {
      const marks = new Map<number, number>()
      for (const url of urls)
        for (const { partition, leader, inSync, highWatermark } of (await topicOf(url, topic)).partitions) {
          if (leader === undefined) throw new Error(`${url}: partition ${partition} has no leader.`)
          if (inSync?.length !== options.replicas)
            throw new Error(`${url}: in sync in partition ${partition}: ${inSync?.join(', ')}.`)
          marks.set(partition, Math.max(marks.get(partition) ?? 0, highWatermark))
        }
      return marks
    },
    { timeoutMs: options.timeoutMs },
  )
}

/** Until every broker says that each partition begins at the same offset: that one. */
export function untilEqualBegins(
  urls: readonly string[],
  topic: string,
  options: { readonly partitions: Iterable<number>; readonly timeoutMs: number },
): Promise<ReadonlyMap<number, number>> {
  const partitions = [...options.partitions]
  return eventually(
    async () => {
      const [first, ...others] = await Promise.all(urls.map((url) => beginsAt(url, topic, partitions)))
      for (const [partition, begin] of first!)
        for (const other of others)
          if (other.get(partition) !== begin)
            throw new Error(`Partition ${partition} begins at ${begin} and at ${other.get(partition)}.`)
      return first!
    },
    { timeoutMs: options.timeoutMs },
  )
}

/** What one broker serves of one partition: a checksum for each record with all its fields, and one over everything. */
interface ServedPartition {
  readonly checksums: readonly number[]
  readonly digest: string
}

const PAGE_RECORDS = 1_000

/**
 * Reads everything from each broker, as one more reader each in the history, and compares what they serve byte for byte:
 * offsets, times, keys, headers, values. A sentence for each partition in which two differ.
 */
export async function compareBrokers(
  urls: readonly string[],
  topic: string,
  options: {
    readonly highWatermarks: ReadonlyMap<number, number>
    /** The first offsets. */
    readonly begins: ReadonlyMap<number, number>
    readonly timeoutMs: number
    record(operation: Operation): void
  },
): Promise<readonly string[]> {
  const differences: string[] = []
  let first: ReadonlyMap<number, ServedPartition> | undefined
  for (const [index, url] of urls.entries()) {
    const reader = `final-${index + 1}`
    options.record({ type: 'seek', reader, next: Object.fromEntries(options.begins) })
    const served = new Map<number, ServedPartition>()
    for (const [partition, mark] of options.highWatermarks) {
      const begin = options.begins.get(partition) ?? 0
      served.set(partition, await readPartition({ url, topic, partition, reader, begin, mark, ...options }))
    }
    options.record({ type: 'end', reader, partitions: [...options.highWatermarks.keys()] })
    first ??= served
    for (const [partition, { checksums, digest }] of served) {
      const expected = first.get(partition)!
      if (digest === expected.digest) continue
      const begin = options.begins.get(partition) ?? 0
      const at = checksums.findIndex((checksum, place) => checksum !== expected.checksums[place])
      differences.push(
        `Brokers 1 and ${index + 1} differ in partition ${partition} at offset ${begin + at} of ${begin + checksums.length}.`,
      )
    }
  }
  return differences
}

interface PartitionRead {
  readonly url: string
  readonly topic: string
  readonly partition: number
  readonly reader: string
  readonly begin: number
  readonly mark: number
  readonly timeoutMs: number
  record(operation: Operation): void
}

async function readPartition(read: PartitionRead): Promise<ServedPartition> {
  const { url, topic, partition, reader, begin, mark } = read
  const checksums: number[] = []
  const hash = createHash('sha256')
  const giveUpAtMs = performance.now() + read.timeoutMs
  for (let from = begin; from < mark && performance.now() < giveUpAtMs;) {
    const response = await fetch(
      `${url}/v1/topics/${topic}/partitions/${partition}/records?from=${from}&limit=${PAGE_RECORDS}&wait=500ms`,
    )
    if (!response.ok) continue
    const page = (await response.json()) as { records: readonly { offset: number; text?: string }[] }
    for (const record of page.records) {
      const bytes = JSON.stringify(record)
      checksums.push(crc32(bytes))
      hash.update(bytes)
      from = record.offset + 1
    }
    const records = page.records.map(({ offset, text }): SeenRecord => [
      partition,
      offset,
      valueOf(text ?? ''),
    ])
    read.record({ type: 'poll', reader, records })
  }
  return { checksums, digest: hash.digest('hex') }
}
