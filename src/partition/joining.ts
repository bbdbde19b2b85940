import { ENTRY_KIND } from '../paxos/state.ts'
import type { Waiting } from './proposals.ts'
import { BATCH_FIXED_BYTES, isPlainBatch, joinBatches, RECORDS_PER_BATCH_MAX } from './record-batch.ts'
import type { AppliedBatch } from './record-machine.ts'

/** What is read or sent in one piece stays small: a batch of more stands alone. */
export const JOINED_BYTES_MAX = 64 * 1024

type WaitingBatch = Waiting<AppliedBatch>

/**
 * Batches that wait for the writer together, neighbours in the queue made one where nothing tells them apart: an entry costs
 * every replica about the same, however small it is. Order stays. A batch with an idempotency key, a producer or an expected
 * offset is judged as a whole at apply, so it has its own slot.
 */
export function joined(queue: readonly WaitingBatch[]): readonly WaitingBatch[] {
  if (queue.length < 2) return queue
  const result: WaitingBatch[] = []
  let run: WaitingBatch[] = []
  let bytes = BATCH_FIXED_BYTES
  let records = 0
  const endRun = (): void => {
    if (run.length > 0) result.push(run.length === 1 ? run[0]! : asOne(run, records))
    run = []
    bytes = BATCH_FIXED_BYTES
    records = 0
  }
  for (const waiting of queue) {
    const isPlain = waiting.kind === ENTRY_KIND.DATA && isPlainBatch(waiting.body)
    const ownBytes = waiting.body.length - BATCH_FIXED_BYTES
    const hasRoom =
      bytes + ownBytes <= JOINED_BYTES_MAX && records + waiting.recordCount <= RECORDS_PER_BATCH_MAX
    if (!isPlain || !hasRoom) endRun()
    if (!isPlain) {
      result.push(waiting)
      continue
    }
    run.push(waiting)
    bytes += ownBytes
    records += waiting.recordCount
  }
  endRun()
  return result
}

/** One value for all of them: what becomes of it becomes of each, at its own place. */
function asOne(run: readonly WaitingBatch[], recordCount: number): WaitingBatch {
  return {
    kind: ENTRY_KIND.DATA,
    recordCount,
    body: joinBatches(run.map((waiting) => waiting.body)),
    queuedAtMs: run[0]!.queuedAtMs,
    deadlineMs: run.at(-1)!.deadlineMs,
    resolve: ({ result, slot }) => {
      if (result.kind !== 'appended') return run.forEach((waiting) => waiting.resolve({ result, slot }))
      let { baseOffset } = result
      const { appendedAtMs } = result
      for (const waiting of run) {
        const own = { kind: result.kind, slot, baseOffset, recordCount: waiting.recordCount, appendedAtMs }
        waiting.resolve({ result: own, slot })
        baseOffset += waiting.recordCount
      }
    },
    reject: (error) => run.forEach((waiting) => waiting.reject(error)),
  }
}
