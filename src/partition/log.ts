import type { BrokerId, GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Idempotency, RecordDraft } from '../types/record.ts'
import type { PartitionPlacement, Topic } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import {
  decodeJson,
  decodeOutcome,
  decodeReadAnswer,
  encodeAppend,
  encodeJson,
  notLeader,
  type ForwardedRead,
} from './forward.ts'
import type { AppendOutcome } from './append-outcome.ts'
import {
  isLeaderless,
  makeSure,
  maySuffice,
  neededEnd,
  replicaBehind,
  type Freshness,
  type LeaderFreshness,
} from './freshness.ts'
import type { Partition, PartitionRead, ReadBounds } from './partition.ts'
import { encodeBatch } from './record-batch.ts'
import type { Registry } from './registry.ts'
import type { RoutedCall, Router } from './router.ts'
import { askOthers, isUnreadable, READ_TIMEOUT_MS, replicaDamaged, unlessDamaged } from './other-replicas.ts'

export interface AppendCall {
  readonly topic: Topic
  readonly partition: number
  readonly records: readonly RecordDraft[]
  readonly idempotency: Idempotency | undefined
  readonly expectedOffset: number | undefined
  readonly acks: 'majority' | 'all'
}

export interface ReadCall extends ReadBounds {
  readonly topic: Topic
  readonly partition: number
  readonly freshness?: Freshness | undefined
}

export type Position =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'last'; readonly count: number }
  | { readonly kind: 'time'; readonly timeMs: number }

/** A position as it is asked of another broker. */
export interface ForwardedPosition extends LeaderFreshness {
  readonly position: Position
  /** A follower may answer, too, with what it knows to be chosen. */
  readonly isAnyReplica: boolean
}

/** Produce and read of every partition of the cluster, wherever it is led. */
export class PartitionLog {
  readonly #self: BrokerId
  readonly #registry: Registry
  readonly #router: Router
  readonly #produceTimeoutMs: number
  readonly #isDiskFull: () => boolean
  readonly #isDeleted: (group: GroupId) => boolean

  constructor(options: {
    self: BrokerId
    registry: Registry
    router: Router
    produceTimeoutMs: number
    isDiskFull: () => boolean
    /** The metadata named the group once and does no more. */
    isDeleted: (group: GroupId) => boolean
  }) {
    this.#self = options.self
    this.#registry = options.registry
    this.#router = options.router
    this.#produceTimeoutMs = options.produceTimeoutMs
    this.#isDiskFull = options.isDiskFull
    this.#isDeleted = options.isDeleted
  }

  async append(call: AppendCall): Promise<AppendOutcome & { readonly leader: BrokerId }> {
    const placement = placementOf(call.topic, call.partition)
    if (call.topic.config.closed) throw topicClosed(call.topic)
    const { acks } = call
    const batch = encodeBatch({
      records: call.records,
      appendedAtMs: 0,
      idempotency: call.idempotency,
      expectedOffset: call.expectedOffset,
    })
    // The leader writes its time into the batch, so a second attempt must not touch what the first may have queued.
    let isFirst = true
    const own = () => {
      const bytes = isFirst ? batch : Buffer.from(batch)
      isFirst = false
      return bytes
    }
    return this.#atLeader(
      call.topic,
      placement,
      {
        kind: 'append',
        changes: call.idempotency === undefined ? 'each-time' : 'once',
        local: async (timeoutMs) => ({
          ...(await this.appendHere(placement.group, own(), { acks, timeoutMs })),
          leader: this.#self,
        }),
        body: () => encodeAppend(batch, { acks, timeoutMs: this.#produceTimeoutMs }),
        decode: (answer, from) => ({ ...decodeOutcome(answer), leader: from }),
      },
      this.#produceTimeoutMs,
    )
  }

  /** Appends at this broker's own replica; 'no-leader' with a hint when it does not lead. */
  async appendHere(
    group: GroupId,
    batch: Uint8Array,
    options: { acks: 'majority' | 'all'; timeoutMs: number },
  ): Promise<AppendOutcome> {
    const partition = this.#registry.partition(group)
    if (partition === undefined || !partition.replica.isLeader)
      throw notLeader(this.#router.leaderToTell(group))
    if (this.#isDiskFull()) throw diskFull()
    return partition.append(batch, options)
  }

  /** From this broker's own replica when it has what is asked, else from the leader. */
  async read(call: ReadCall): Promise<PartitionRead> {
    const { freshness } = call
    const placement = placementOf(call.topic, call.partition)
    const local = this.#registry.partition(placement.group)
    const needed = neededEnd(call.fromOffset, freshness)
    try {
      // Only the leader's high watermark decides that an offset is out of range: a follower may just be behind.
      if (local !== undefined && maySuffice(local, needed, freshness)) return await readHere(local, call)
      return await this.#unlessLeaderless(
        { placement, needed, freshness },
        () => this.#readAtLeader(placement, call),
        (partition) => readHere(partition, call),
      )
    } catch (error) {
      if (!isUnreadable(error) || (freshness?.consistency ?? 'local') !== 'local') throw error
      return await this.#readElsewhere(placement, call, error)
    }
  }

  /** While nobody leads, whoever holds what is needed may show it, unless a leader's word was asked for. */
  async #unlessLeaderless<Answer>(
    asked: { placement: PartitionPlacement; needed: number; freshness: Freshness | undefined },
    atLeader: () => Promise<Answer>,
    here: (partition: Partition) => Promise<Answer>,
  ): Promise<Answer> {
    try {
      return await atLeader()
    } catch (error) {
      const { consistency = 'local', afterOffset } = asked.freshness ?? {}
      if (!isLeaderless(error) || consistency !== 'local') throw error
      const partition = this.#registry.partition(asked.placement.group)
      if (partition !== undefined && asked.needed <= partition.highWatermark) return here(partition)
      throw afterOffset === undefined ? error : replicaBehind(afterOffset, error)
    }
  }

  async #readElsewhere(
    placement: PartitionPlacement,
    call: ReadCall,
    cause: unknown,
  ): Promise<PartitionRead> {
    const { fromOffset, recordsMax, bytesMax } = call
    const read = await askOthers(this.#router, this.#self, placement, {
      kind: 'read',
      body: encodeJson({ fromOffset, recordsMax, bytesMax, waitMs: 0, isAnyReplica: true }),
      decode: decodeReadAnswer,
      isUseful: ({ batches, highWatermark }) =>
        batches.length > 0 && highWatermark >= neededEnd(fromOffset, call.freshness),
    })
    if (read === undefined) throw replicaDamaged(`The records at offset ${fromOffset} cannot be read`, cause)
    return read
  }

  /** As the leader, or as any replica, for a broker that cannot serve the read itself. */
  async readHere(
    group: GroupId,
    read: ForwardedRead,
    signal: AbortSignal | undefined,
  ): Promise<PartitionRead> {
    const partition = this.#registry.partition(group)
    if (partition === undefined || !(partition.replica.isLeader || read.isAnyReplica === true))
      throw notLeader(this.#router.leaderToTell(group))
    const { freshness } = read
    await makeSure(partition, neededEnd(read.fromOffset, freshness), freshness?.linearizable === true)
    return unlessDamaged(`The records at offset ${read.fromOffset} cannot be read`, () =>
      partition.read({ ...read, signal }),
    )
  }

  async resolve(
    topic: Topic,
    partition: number,
    position: Position,
    freshness: Freshness = { consistency: 'local' },
  ): Promise<number> {
    const placement = placementOf(topic, partition)
    if (position.kind === 'offset') return position.offset
    const local = this.#registry.partition(placement.group)
    const needed = neededEnd(0, freshness)
    const near: ForwardedPosition = { position, isAnyReplica: true, afterOffset: freshness.afterOffset }
    if (local !== undefined && maySuffice(local, needed, freshness)) return this.#resolveNear(placement, near)
    const asked = { ...near, isAnyReplica: false, linearizable: freshness.consistency === 'linearizable' }
    return this.#unlessLeaderless(
      { placement, needed, freshness },
      () => this.#resolveAtLeader(topic, placement, asked),
      () => this.#resolveNear(placement, near),
    )
  }

  #resolveAtLeader(topic: Topic, placement: PartitionPlacement, asked: ForwardedPosition): Promise<number> {
    return this.#atLeader(
      topic,
      placement,
      {
        kind: 'resolve',
        changes: 'nothing',
        local: () => this.resolveHere(placement.group, asked),
        body: () => encodeJson(asked),
        decode: (answer) => (decodeJson(answer) as { offset: number }).offset,
      },
      READ_TIMEOUT_MS,
    )
  }

  async #resolveNear(placement: PartitionPlacement, asked: ForwardedPosition): Promise<number> {
    try {
      return await this.resolveHere(placement.group, asked)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      const found = await askOthers(this.#router, this.#self, placement, {
        kind: 'resolve',
        body: encodeJson(asked),
        decode: (answer) => (decodeJson(answer) as { offset: number }).offset,
        isUseful: () => true,
      })
      if (found === undefined) throw replicaDamaged('The offset cannot be found', error)
      return found
    }
  }

  async resolveHere(group: GroupId, asked: ForwardedPosition): Promise<number> {
    const { position } = asked
    const partition = this.#registry.partition(group)
    if (partition === undefined || !(partition.replica.isLeader || asked.isAnyReplica))
      throw notLeader(this.#router.leaderToTell(group))
    // What was chosen before a quorum confirmed this leader is applied when the barrier is passed.
    await makeSure(partition, neededEnd(0, asked), asked.linearizable === true)
    switch (position.kind) {
      case 'earliest':
        return partition.logStart
      case 'latest':
        return partition.highWatermark
      case 'offset':
        return position.offset
      case 'last':
        return Math.max(partition.logStart, partition.highWatermark - position.count)
      case 'time':
        return unlessDamaged('The offset cannot be found', () => partition.offsetAt(position.timeMs))
    }
  }

  /** Who leads the partition, as far as this broker knows. */
  leaderOf(topic: Topic, partition: number): BrokerId | undefined {
    return this.#router.leaderOf(placementOf(topic, partition).group)
  }

  /** Shows no records below `beforeOffset` any more; resolves with the first offset that is shown. */
  async trim(topic: Topic, partition: number, beforeOffset: number): Promise<number> {
    const placement = placementOf(topic, partition)
    return this.#atLeader(
      topic,
      placement,
      {
        kind: 'trim',
        changes: 'once',
        local: (timeoutMs) => this.trimHere(placement.group, beforeOffset, timeoutMs),
        body: () => encodeJson({ beforeOffset }),
        decode: (answer) => (decodeJson(answer) as { logStart: number }).logStart,
      },
      this.#produceTimeoutMs,
    )
  }

  /** As the leader. */
  async trimHere(group: GroupId, beforeOffset: number, timeoutMs: number): Promise<number> {
    const partition = this.#registry.partition(group)
    if (partition === undefined || !partition.replica.isLeader)
      throw notLeader(this.#router.leaderToTell(group))
    // A new leader may not know yet how far the log goes.
    if (beforeOffset > partition.highWatermark) await partition.replica.readBarrier()
    return unlessDamaged(`The batch at offset ${beforeOffset} cannot be read`, () =>
      partition.trim(beforeOffset, timeoutMs),
    )
  }

  async #atLeader<Answer>(
    topic: Topic,
    placement: PartitionPlacement,
    call: RoutedCall<Answer>,
    timeoutMs: number,
  ): Promise<Answer> {
    const { group } = placement
    if (this.#registry.partition(group) === undefined && this.#isDeleted(group))
      throw topicDeleted(topic.name)
    try {
      return await this.#router.atLeader(placement, call, timeoutMs)
    } catch (error) {
      throw isLeaderless(error) && this.#isDeleted(group) ? topicDeleted(topic.name) : error
    }
  }

  #readAtLeader(placement: PartitionPlacement, call: ReadCall): Promise<PartitionRead> {
    const { fromOffset, recordsMax, bytesMax, waitMs } = call
    const { consistency = 'local', afterOffset } = call.freshness ?? {}
    const freshness = { linearizable: consistency === 'linearizable', afterOffset }
    const forwarded: ForwardedRead = { fromOffset, recordsMax, bytesMax, waitMs, freshness }
    return this.#atLeader(
      call.topic,
      placement,
      {
        kind: 'read',
        changes: 'nothing',
        local: () => this.readHere(placement.group, forwarded, call.signal),
        body: () => encodeJson(forwarded),
        decode: decodeReadAnswer,
      },
      waitMs + READ_TIMEOUT_MS,
    )
  }
}

function placementOf(topic: Topic, partition: number): PartitionPlacement {
  const placement = topic.partitions[partition]
  invariant(placement?.partition === partition, `Topic '${topic.name}' has no partition ${partition}.`)
  return placement
}

function topicClosed(topic: Topic): SynodError {
  return new SynodError('topic-closed', `Topic '${topic.name}' is closed and takes no records.`, {
    hint: `Open it with PATCH /v1/topics/${topic.name} {"config":{"closed":false}}.`,
  })
}

export function topicDeleted(name: string): SynodError {
  return new SynodError('topic-deleted', `Topic '${name}' was deleted.`, {
    hint: 'Create it again if it is still needed.',
  })
}

function diskFull(): SynodError {
  return new SynodError(
    'disk-full',
    "The leader's disk is nearly full and no other replica can lead; nothing was stored.",
    {
      hint: 'Free some space on one of the brokers or delete topics; reading goes on.',
      retryAfterMs: 10_000,
    },
  )
}

/** What this broker's own replica shows, and whether it is cut off: one that votes hears of its leader many times a second. */
async function readHere(partition: Partition, call: ReadCall): Promise<PartitionRead> {
  const read = await partition.read(call)
  const { paxos } = partition.replica
  return paxos.isVoter && paxos.leader === undefined ? { ...read, isLeaderless: true } : read
}
