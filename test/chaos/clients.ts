import type { Operation } from '../history/operation.ts'
import type { Random } from '../sim/random.ts'
import {
  BatchProducer,
  KeyProducer,
  PlainProducer,
  SequenceProducer,
  type RunningProducer,
} from './producers.ts'
import { ClientReader, PageReader, SocketReader, type Reader } from './readers.ts'

export interface ClientsOptions {
  readonly urls: readonly string[]
  readonly topic: string
  readonly partitions: number
  readonly random: Random
  /** Of each producer, between two operations. */
  readonly pauseMs: number
  record(operation: Operation): void
  /** A reader was told that what is below this offset is trimmed. */
  trimmed(partition: number, logStart: number): void
  /** An answer that no fault explains. */
  unexpected(sentence: string): void
}

const PRODUCER_KINDS = {
  key: { Producer: KeyProducer, count: 2 },
  sequence: { Producer: SequenceProducer, count: 3 },
  plain: { Producer: PlainProducer, count: 2 },
  batch: { Producer: BatchProducer, count: 1 },
} as const

/** Some of each kind, all sending from now on. */
export function startProducers(options: ClientsOptions): readonly RunningProducer[] {
  return Object.entries(PRODUCER_KINDS).flatMap(([kind, { Producer, count }]) =>
    Array.from({ length: count }, (_, index) => {
      const name = `${kind}${index + 1}`
      return new Producer({ ...options, name, random: options.random.fork(name) })
    }),
  )
}

const READER_KINDS = { client: ClientReader, socket: SocketReader, pages: PageReader } as const

/** One of each kind at each broker. */
export function startReaders(options: ClientsOptions): readonly Reader[] {
  const { urls } = options
  return urls.flatMap((url, index) =>
    Object.entries(READER_KINDS).map(
      ([kind, Kind]) =>
        new Kind({
          ...options,
          name: `${kind}${index + 1}`,
          url,
          otherUrls: urls.filter((other) => other !== url),
        }),
    ),
  )
}
