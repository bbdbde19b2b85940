import type { StateRecord } from '../paxos/state.ts'
import type { GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import {
  changeGroup,
  newestCheckpoint,
  newGroupLog,
  type GroupLog,
  type IndexedPersist,
} from './group-log.ts'
import { IndexLayer, STATE_VALUE_BYTES } from './index-layer.ts'
import { resolveLayer, type FrozenLog } from './index-resolve.ts'
import { operationBytes, type KeyValue, type Operation } from './key-value.ts'
import { BASE_NUMBER, batchKey, INDEX_TAG, tagRange } from './keys.ts'
import type { AppliedState } from './log-store.ts'
import { DISTRUSTED, encodeBatch, type DeletedRow } from './rows.ts'

/** Up to which index batch and journal number the index is known to be whole. */
export interface Trust {
  readonly number: number
  readonly lsn: number
}

interface WrittenBatch extends Trust {
  /** What the index had written when this batch was through. */
  readonly bytesWritten: number
}

/**
 * The index as of the newest durable record: the database, plus at most two layers in memory, of which one is being written.
 * It is told of a record only after that is durable, so no batch ever reflects more than the journal holds (J2). Batches
 * carry dense numbers and their LSN range, by which a recovery sees which ones a power cut took (J1).
 */
export class LogIndex {
  readonly base: KeyValue
  readonly groups = new Map<GroupId, GroupLog>()
  pending = new IndexLayer()
  flushing: IndexLayer | undefined
  /** Highest record that was told to the index. */
  recordedLsn = 0
  /** Index batches up to here are in LevelDB's synced tables; no power cut takes them. */
  settled: Trust = { number: 0, lsn: 0 }
  /** Groups whose checkpoints have changed since the sweeper looked: what lies below the log's start may be freed. */
  readonly trimmed = new Set<GroupId>()
  /** Garbage that was written since the collector looked last. */
  newGarbage = { count: 0, bytes: 0 }
  readonly #settleBytes: number
  #base: Trust = { number: 0, lsn: 0 }
  #number = 0
  #flushedLsn = 0
  #bytesWritten = 0
  #window: WrittenBatch[] = []
  #isDistrusted = false

  /** `settleBytes`: three write buffers of the database; by then the table of a batch's own buffer is written and synced. */
  constructor(base: KeyValue, options: { readonly settleBytes: number }) {
    this.base = base
    this.#settleBytes = options.settleBytes
  }

  /** Bytes that wait in memory, about. */
  get pendingBytes(): number {
    return this.pending.bytes + (this.flushing?.bytes ?? 0)
  }

  recordPersist(group: GroupId, born: number, persist: IndexedPersist): void {
    invariant(persist.lsn > this.recordedLsn, 'Records are told to the index in the order of their LSNs.')
    this.recordedLsn = persist.lsn
    let log = this.groups.get(group)
    if (log === undefined) {
      log = newGroupLog(group, born)
      this.groups.set(group, log)
    }
    const before = log.state
    changeGroup(log, this.pending.of(log), persist)
    const { state } = persist
    const isMarked =
      state !== undefined &&
      (state.logStart.slot !== (before?.logStart.slot ?? 1) || newestOf(state) !== newestOf(before))
    if (isMarked) this.trimmed.add(group)
  }

  recordDeletion(group: GroupId, deleted: DeletedRow): void {
    const { lsn, born } = deleted
    invariant(lsn > this.recordedLsn, 'Records are told to the index in the order of their LSNs.')
    this.recordedLsn = lsn
    const log = this.groups.get(group) ?? newGroupLog(group, born)
    this.pending.of(log).deleted = deleted
    if (log.stateLsn !== 0) this.pending.addGarbage(log.stateLsn, STATE_VALUE_BYTES)
    this.groups.delete(group)
  }

  /** Ignored when the group was deleted meanwhile. */
  recordApplied(update: AppliedState): void {
    const log = this.groups.get(update.group)
    if (log === undefined) return
    invariant(
      update.slot >= log.applied.slot,
      `Group ${update.group} applies forward, not back to slot ${update.slot}.`,
    )
    invariant(
      update.slot <= log.through,
      `Group ${update.group} applied slot ${update.slot}, which its journal lacks.`,
    )
    const { slot, nextOffset, lastAppendedAtMs, logBytes } = update
    const changes = this.pending.of(log)
    if (update.isReset === true) changes.resetMachine()
    changes.addMarks(update.marks)
    for (const row of update.rows) changes.putMachineRow(row.key, row.value)
    changes.applied = { slot, nextOffset, lastAppendedAtMs, logBytes }
    log.applied = changes.applied
  }

  /** Writes what waits as one batch, not synced. One flush at a time. */
  async flush(): Promise<void> {
    const toLsn = this.recordedLsn
    const number = this.#number + 1
    const operations = await this.#resolve(number)
    this.#addTrust(operations, number, toLsn)
    await this.base.batch(operations, { sync: false })
    this.flushing = undefined
    this.#written({ number, lsn: toLsn }, operations)
  }

  /**
   * Part of a long replay. It gives no trust, so a crash starts the replay again; it is synced, because the batch that ends
   * the recovery vouches for it.
   */
  async flushUntrusted(): Promise<void> {
    const operations = await this.#resolve(this.#number + 1)
    await this.base.batch(operations, { sync: true })
    this.flushing = undefined
  }

  /**
   * Makes all that was written so far safe from power cuts, without waiting for `settleBytes` of later batches: the floor
   * may follow at once.
   */
  async settle(): Promise<void> {
    const written = { number: this.#number, lsn: this.#flushedLsn }
    const bytesWritten = this.#bytesWritten
    await this.base.compact(tagRange(INDEX_TAG.GARBAGE, INDEX_TAG.GARBAGE + 1))
    this.#window = this.#window.filter((batch) => batch.bytesWritten > bytesWritten)
    if (written.number > this.settled.number) this.settled = written
  }

  /** Damage was met: the next start rebuilds the index, whatever is written to it until then. */
  async distrust(): Promise<void> {
    this.#isDistrusted = true
    await this.base.batch([this.#basePut()], { sync: true })
  }

  /** Forgets everything, for a recovery that begins again with an empty database. */
  startOver(): void {
    this.groups.clear()
    this.trimmed.clear()
    this.pending = new IndexLayer()
    this.flushing = undefined
    this.newGarbage = { count: 0, bytes: 0 }
    this.#number = 0
    this.#bytesWritten = 0
    this.#window = []
    this.resume({ number: 0, trusted: { number: 0, lsn: 0 } })
  }

  /** Starts from what a recovery found. `number` is above every number that may still be in the database. */
  resume(found: { readonly number: number; readonly trusted: Trust }): void {
    this.#number = found.number
    this.#base = found.trusted
    this.#flushedLsn = found.trusted.lsn
    this.recordedLsn = found.trusted.lsn
    this.settled = found.trusted
  }

  /** Passes over a record of a group that is known to be deleted. */
  recordDead(lsn: number, valueBytes: number): void {
    invariant(lsn > this.recordedLsn, 'Records are told to the index in the order of their LSNs.')
    this.recordedLsn = lsn
    this.pending.addGarbage(lsn, valueBytes)
  }

  /** A start changes nothing of any group. Its key stays for good, as a deletion's does. */
  recordStart(lsn: number): void {
    invariant(lsn > this.recordedLsn, 'Records are told to the index in the order of their LSNs.')
    this.recordedLsn = lsn
  }

  /** Ends a recovery: from this batch on everything is trusted again, whatever numbers were found (`batchKeys`). */
  async flushRecovered(batchKeys: readonly Uint8Array[]): Promise<void> {
    this.#base = { number: this.#number + 1, lsn: this.recordedLsn }
    this.pending.addOperations(batchKeys.map((key) => ({ type: 'del', key })))
    await this.flush()
  }

  #addTrust(operations: Operation[], number: number, toLsn: number): void {
    if (this.#base.number < number) {
      const own = batchKey(number)
      operations.push({
        type: 'put',
        key: own,
        value: encodeBatch(own, { number, fromLsn: this.#flushedLsn, toLsn }),
      })
      if (this.settled.number <= this.#base.number) return
      for (const operation of batchRowDeletes(this.#base.number + 1, this.settled.number))
        operations.push(operation)
      this.#base = this.settled
    }
    operations.push(this.#basePut())
  }

  #basePut(): Operation {
    const key = batchKey(BASE_NUMBER)
    const { number, lsn } = this.#base
    const row = { number, fromLsn: this.#isDistrusted ? DISTRUSTED : 0, toLsn: lsn }
    return { type: 'put', key, value: encodeBatch(key, row) }
  }

  #written(batch: Trust, operations: readonly Operation[]): void {
    this.#number = batch.number
    this.#flushedLsn = batch.lsn
    this.#bytesWritten += operationBytes(operations)
    this.#window.push({ ...batch, bytesWritten: this.#bytesWritten })
    for (let oldest = this.#window[0]; oldest !== undefined; oldest = this.#window[0]) {
      if (this.#bytesWritten - oldest.bytesWritten < this.#settleBytes) break
      this.settled = { number: oldest.number, lsn: oldest.lsn }
      this.#window.shift()
    }
  }

  async #resolve(number: number): Promise<Operation[]> {
    invariant(this.flushing === undefined, 'One index batch is written at a time.')
    const layer = this.pending
    const logs = this.#freeze(layer)
    this.pending = new IndexLayer()
    this.flushing = layer
    const operations = await resolveLayer(this.base, layer, logs, number)
    this.newGarbage.count += layer.garbage.size
    for (const bytes of layer.garbage.values()) this.newGarbage.bytes += bytes
    return operations
  }

  #freeze(layer: IndexLayer): ReadonlyMap<GroupId, FrozenLog> {
    const frozen = new Map<GroupId, FrozenLog>()
    for (const group of layer.groups.keys()) {
      const log = this.groups.get(group)
      if (log !== undefined) frozen.set(group, { ...log })
    }
    return frozen
  }
}

function newestOf(state: StateRecord | undefined): number {
  return state === undefined ? 1 : newestCheckpoint(state)
}

function batchRowDeletes(from: number, to: number): Operation[] {
  const deletes: Operation[] = []
  for (let number = from; number <= to; number++) deletes.push({ type: 'del', key: batchKey(number) })
  return deletes
}
