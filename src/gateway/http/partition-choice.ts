import { crc32 } from 'node:zlib'

import { SynodError } from '../../errors.ts'
import type { Topic } from '../../types/topic.ts'

/**
 * Where records go that have nothing to go by: those of one request to one partition, and those of all requests that are read in
 * one turn of the event loop, too. Under load they share slots then, and messages and syncs with them; one after the other they
 * go round all partitions.
 */
export class PartitionTurns {
  readonly #soon: (run: () => void) => void
  #turn = 0
  #isTaken = false

  constructor(soon: (run: () => void) => void = setImmediate) {
    this.#soon = soon
  }

  next(topic: Topic): number {
    if (!this.#isTaken) {
      this.#isTaken = true
      this.#turn = (this.#turn + 1) % 0x7fffffff
      this.#soon(() => (this.#isTaken = false))
    }
    return this.#turn % topic.partitions.length
  }
}

/** Keys go where zlib's crc32 of their UTF-8 says, so that any client can tell too. */
export function partitionOfKey(topic: Topic, key: string): number {
  return topic.partitions.length === 1 ? 0 : crc32(key) % topic.partitions.length
}

/** Errors: 'partition-not-found'. */
export function namedPartition(topic: Topic, partition: number): number {
  if (partition < topic.partitions.length) return partition
  throw new SynodError('partition-not-found', `Topic '${topic.name}' has no partition ${partition}.`, {
    hint: `It has the partitions 0 to ${topic.partitions.length - 1}.`,
  })
}
