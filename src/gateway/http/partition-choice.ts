import { crc32 } from 'node:zlib'

import { SynodError } from '../../errors.ts'
import type { Topic } from '../../types/topic.ts'

/** Records of a request that have nothing to go by share one partition; requests take turns. */
export class PartitionTurns {
  #turn = 0

  next(topic: Topic): number {
    this.#turn = (this.#turn + 1) % 0x7fffffff
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
