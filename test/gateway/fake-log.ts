import { SynodError } from '../../src/errors.ts'
import type {
  AppendReceipt,
  AppendRequest,
  Log,
  ReadRequest,
  ReadResult,
  StartPosition,
} from '../../src/gateway/ports.ts'
import { brokerId } from '../../src/types/ids.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import type { CommittedBatch, Idempotency, RecordDraft, StoredRecord } from '../../src/types/record.ts'
import type { Topic } from '../../src/types/topic.ts'

/** One partition, kept in memory. */
interface FakePartition {
  batches: CommittedBatch[]
  logStart: number
  highWatermark: number
  readonly keys: Map<string, { readonly fingerprint: string; readonly receipt: AppendReceipt }>
  readonly producers: Map<
    string,
    {
      epoch: number
      nextSeq: number
      readonly receipts: Map<number, AppendReceipt & { readonly content: string }>
    }
  >
  readonly waiters: Set<() => void>
}

function storedRecord(draft: RecordDraft, offset: number, appendedAtMs: number): StoredRecord {
  return { ...draft, offset, timestampMs: draft.timestampMs ?? appendedAtMs }
}

/** What the real log takes a checksum of. */
function contentOf(records: readonly RecordDraft[]): string {
  return JSON.stringify(
    records.map(({ value, ...rest }) => ({ ...rest, value: Buffer.from(value).toString('hex') })),
  )
}

/** A log that stores at once. Errors, pauses and a frozen state are set from the test. */
export class FakeLog implements Log {
  readonly appends: AppendRequest[] = []
  readonly reads: ReadRequest[] = []
  /** Who leads, where it is not the first replica. */
  readonly leaders = new Map<number, BrokerId | undefined>()
  /** Partitions of which whoever answers reads hears of no leader. */
  readonly leaderless = new Set<number>()
  nowMs: () => number = Date.now
  /** Called before each append: throw here to refuse, return a promise to hold it up. */
  beforeAppend: (request: AppendRequest) => void | Promise<void> = () => undefined
  /** Called before each read, likewise. */
  beforeRead: (request: ReadRequest) => void | Promise<void> = () => undefined
  readonly #partitions = new Map<string, FakePartition>()

  partition(topic: Topic, partition: number): FakePartition {
    const name = `${topic.id}/${partition}`
    const known = this.#partitions.get(name)
    if (known !== undefined) return known
    const created: FakePartition = {
      batches: [],
      logStart: 0,
      highWatermark: 0,
      keys: new Map(),
      producers: new Map(),
      waiters: new Set(),
    }
    this.#partitions.set(name, created)
    return created
  }

  /** Stores values directly, one batch, and returns its first offset. */
  put(
    topic: Topic,
    partition: number,
    records: readonly (Partial<Omit<RecordDraft, 'value'>> & { readonly value: Uint8Array | string })[],
  ): number {
    const drafts = records.map((record): RecordDraft => ({
      form: 'text',
      key: undefined,
      contentType: undefined,
      timestampMs: undefined,
      headers: [],
      ...record,
      value: typeof record.value === 'string' ? Buffer.from(record.value) : record.value,
    }))
    return this.#store(this.partition(topic, partition), drafts).baseOffset
  }

  /** Forgets all records below the offset. */
  trim(topic: Topic, partition: number, beforeOffset: number): void {
    const state = this.partition(topic, partition)
    state.logStart = beforeOffset
    state.batches = state.batches.filter((batch) => batch.baseOffset + batch.recordCount > beforeOffset)
  }

  async append(request: AppendRequest): Promise<AppendReceipt> {
    this.appends.push(request)
    await this.beforeAppend(request)
    const state = this.partition(request.topic, request.partition)
    if (request.topic.config.closed)
      throw new SynodError('topic-closed', `Topic '${request.topic.name}' is closed.`)
    const replayed = this.#replay(state, request)
    if (replayed !== undefined) return { ...replayed, duplicate: true }
    if (request.expectedOffset !== undefined && request.expectedOffset !== state.highWatermark)
      throw new SynodError('offset-mismatch', `The partition ends at ${state.highWatermark}.`, {
        facts: { highWatermark: state.highWatermark },
      })
    const batch = this.#store(state, request.records, request.idempotency)
    const receipt: AppendReceipt = {
      baseOffset: batch.baseOffset,
      recordCount: batch.recordCount,
      appendedAtMs: batch.appendedAtMs,
      duplicate: false,
      leader: leaderOf(request.topic, request.partition) ?? brokerId(1),
    }
    this.#remember(state, request, receipt)
    return receipt
  }

  #replay(state: FakePartition, { idempotency, records }: AppendRequest): AppendReceipt | undefined {
    if (idempotency?.kind === 'key') {
      const first = state.keys.get(idempotency.key)
      if (first === undefined) return undefined
      if (first.fingerprint !== Buffer.from(idempotency.fingerprint).toString('hex'))
        throw new SynodError('idempotency-key-reused', `'${idempotency.key}' was used for another request.`)
      return first.receipt
    }
    if (idempotency === undefined) return undefined
    const known = state.producers.get(idempotency.id)
    if (known === undefined || idempotency.epoch > known.epoch) {
      if (idempotency.seq !== 0)
        throw new SynodError('sequence-gap', `Expected 0, not ${idempotency.seq}.`, {
          facts: { expectedSeq: 0 },
        })
      state.producers.set(idempotency.id, { epoch: idempotency.epoch, nextSeq: 0, receipts: new Map() })
      return undefined
    }
    if (idempotency.epoch < known.epoch)
      throw new SynodError('producer-fenced', `Epoch ${idempotency.epoch} of '${idempotency.id}' is fenced.`)
    if (idempotency.seq > known.nextSeq)
      throw new SynodError('sequence-gap', `Expected ${known.nextSeq}, not ${idempotency.seq}.`, {
        facts: { expectedSeq: known.nextSeq },
      })
    if (idempotency.seq === known.nextSeq) return undefined
    const first = known.receipts.get(idempotency.seq)
    if (first?.content === contentOf(records)) return first
    // As the log does: what shares numbers with a batch without being it is no duplicate.
    throw new SynodError('sequence-gap', `Expected ${known.nextSeq}, not ${idempotency.seq}.`, {
      facts: { expectedSeq: known.nextSeq },
    })
  }

  #remember(state: FakePartition, request: AppendRequest, receipt: AppendReceipt): void {
    const { idempotency, records } = request
    if (idempotency?.kind === 'key')
      state.keys.set(idempotency.key, {
        fingerprint: Buffer.from(idempotency.fingerprint).toString('hex'),
        receipt,
      })
    if (idempotency?.kind !== 'producer') return
    const known = state.producers.get(idempotency.id)
    if (known === undefined) return
    known.nextSeq = idempotency.seq + receipt.recordCount
    known.receipts.set(idempotency.seq, { ...receipt, content: contentOf(records) })
  }

  #store(state: FakePartition, drafts: readonly RecordDraft[], idempotency?: Idempotency): CommittedBatch {
    const baseOffset = state.highWatermark
    const appendedAtMs = this.nowMs()
    const batch: CommittedBatch = {
      baseOffset,
      recordCount: drafts.length,
      appendedAtMs,
      idempotency,
      byteLength: drafts.reduce((sum, draft) => sum + draft.value.byteLength + 64, 64),
      records: drafts.map((draft, index) => storedRecord(draft, baseOffset + index, appendedAtMs)),
    }
    state.batches.push(batch)
    state.highWatermark += drafts.length
    for (const wake of [...state.waiters]) wake()
    return batch
  }

  async read(request: ReadRequest): Promise<ReadResult> {
    this.reads.push(request)
    await this.beforeRead(request)
    const state = this.partition(request.topic, request.partition)
    this.#checkRange(state, request.fromOffset)
    if (request.fromOffset === state.highWatermark && request.waitMs > 0) await waitForMore(state, request)
    const batches: CommittedBatch[] = []
    let records = 0
    let bytes = 0
    for (const batch of state.batches) {
      if (batch.baseOffset + batch.recordCount <= request.fromOffset) continue
      if (batches.length > 0 && (records >= request.recordsMax || bytes >= request.bytesMax)) break
      batches.push(batch)
      records += batch.recordCount - Math.max(0, request.fromOffset - batch.baseOffset)
      bytes += batch.byteLength
    }
    const isLeaderless = this.leaderless.has(request.partition)
    return { batches, logStart: state.logStart, highWatermark: state.highWatermark, isLeaderless }
  }

  #checkRange(state: FakePartition, offset: number): void {
    if (offset < state.logStart)
      throw new SynodError('offset-trimmed', `Offset ${offset} was trimmed.`, {
        facts: { logStart: state.logStart },
      })
    if (offset > state.highWatermark)
      throw new SynodError('offset-out-of-range', `Offset ${offset} is beyond the last record.`, {
        facts: { highWatermark: state.highWatermark },
      })
  }

  resolve(topic: Topic, partition: number, position: StartPosition): Promise<number> {
    const state = this.partition(topic, partition)
    switch (position.kind) {
      case 'earliest':
        return Promise.resolve(state.logStart)
      case 'latest':
        return Promise.resolve(state.highWatermark)
      case 'offset':
        return Promise.resolve(position.offset)
      case 'last':
        return Promise.resolve(Math.max(state.logStart, state.highWatermark - position.count))
      case 'time': {
        const batch = state.batches.find((candidate) => candidate.appendedAtMs >= position.timeMs)
        return Promise.resolve(batch?.baseOffset ?? state.highWatermark)
      }
    }
  }

  leaderOf(topic: Topic, partition: number): BrokerId | undefined {
    return this.leaders.has(partition) ? this.leaders.get(partition) : leaderOf(topic, partition)
  }

  /** How many reads wait for records, over all partitions. */
  get waitingCount(): number {
    let count = 0
    for (const state of this.#partitions.values()) count += state.waiters.size
    return count
  }
}

function waitForMore(state: FakePartition, request: ReadRequest): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (): void => {
      clearTimeout(timer)
      state.waiters.delete(finish)
      request.signal?.removeEventListener('abort', abort)
      resolve()
    }
    const abort = (): void => {
      clearTimeout(timer)
      state.waiters.delete(finish)
      reject(request.signal?.reason instanceof Error ? request.signal.reason : new Error('aborted'))
    }
    const timer = setTimeout(finish, request.waitMs)
    state.waiters.add(finish)
    if (request.signal?.aborted === true) abort()
    else request.signal?.addEventListener('abort', abort, { once: true })
  })
}

export function leaderOf(topic: Topic, partition: number): BrokerId | undefined {
  return topic.partitions[partition]?.replicas[0]
}
