import type { BrokerId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import type { Metadata } from './metadata.ts'
import type { OperationWish } from './operation-schema.ts'

/**
 * What only the present shows, and so no command can check: whether an operation could come to its end now. Errors:
 * 'would-lose-quorum', 'not-enough-brokers', 'invalid-parameter'.
 */
export function checkAdmission(
  wish: OperationWish,
  metadata: Metadata,
  isAlive: (broker: BrokerId) => boolean,
): void {
  if (wish.kind === 'move-replicas') return checkTarget(wish, metadata, isAlive)
  const { broker } = wish
  if (metadata.broker(broker) === undefined) return
  if (wish.kind === 'remove-broker') checkForce(broker, wish.isForced, isAlive(broker))
  for (const topic of metadata.topics()) {
    for (const { partition, replicas } of topic.partitions) {
      if (!replicas.includes(broker)) continue
      const alive = replicas.filter(isAlive).length
      const majority = Math.floor(replicas.length / 2) + 1
      if (alive >= majority) continue
      throw new SynodError(
        'would-lose-quorum',
        `Partition ${partition} of '${topic.name}' has ${alive} of ${replicas.length} replicas alive; ${majority} are needed to move one.`,
        {
          hint: 'Bring the missing brokers back first: GET /v1/brokers shows them.',
          facts: { topic: topic.name, partition, replicas: replicas.map(String) },
        },
      )
    }
  }
}

/** A live broker is moved away from with all copies in place; one that is gone takes its copies with it. */
function checkForce(broker: BrokerId, isForced: boolean, isBrokerAlive: boolean): void {
  if (isForced && isBrokerAlive) {
    throw new SynodError('invalid-parameter', `Broker ${broker} is alive: it needs no force.`, {
      hint: 'Remove it without force: its replicas then move to others first.',
    })
  }
  if (!isForced && !isBrokerAlive) {
    throw new SynodError('would-lose-quorum', `Broker ${broker} is dead: its copies would be given up.`, {
      hint: `Start it again. If it is gone for good: DELETE /v1/brokers/${broker}?force=true`,
    })
  }
}

/** New replicas copy the log: from the beginning nobody waits for a broker that is not there. */
function checkTarget(
  { topic: name, partition, target }: Extract<OperationWish, { kind: 'move-replicas' }>,
  metadata: Metadata,
  isAlive: (broker: BrokerId) => boolean,
): void {
  const present = metadata.topic(name)?.partitions[partition]?.replicas ?? []
  const dead = target.find(
    (broker) => !present.includes(broker) && metadata.broker(broker) !== undefined && !isAlive(broker),
  )
  if (dead === undefined) return
  throw new SynodError(
    'not-enough-brokers',
    `Broker ${dead} is not alive: it could not copy the partition.`,
    {
      hint: 'Start it first, or choose another one: GET /v1/brokers.',
    },
  )
}
