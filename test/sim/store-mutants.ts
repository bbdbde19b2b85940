import { JournalWriter, type JournalItem } from '../../src/storage/journal-writer.ts'
import type { Operation } from '../../src/storage/key-value.ts'
import { batchKey, BASE_NUMBER, FLOOR_KEY, INDEX_TAG, numberOf, tagRange } from '../../src/storage/keys.ts'
import { LogIndex } from '../../src/storage/log-index.ts'
import type { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import { encodeBatch, readBatch, type BatchRow } from '../../src/storage/rows.ts'

/** J1: puts rows in for the index batches that are missing, by whose gap a start would see it. */
export async function believeNewestBatch(index: MemoryKeyValue): Promise<void> {
  const pairs = await index.scan({
    ...tagRange(INDEX_TAG.BATCH, INDEX_TAG.BATCH + 1),
    countMax: Number.MAX_SAFE_INTEGER,
  })
  let before: BatchRow = { number: 0, fromLsn: 0, toLsn: 0 }
  for (const { key, value } of pairs) {
    const row = readBatch(key, value)
    if (row === undefined) continue
    const isBase = numberOf(key) === BASE_NUMBER
    for (let number = before.number + 1; !isBase && number < row.number; number++) {
      const filler = { number, fromLsn: before.toLsn, toLsn: row.fromLsn }
      await index.batch(
        [{ type: 'put', key: batchKey(number), value: encodeBatch(batchKey(number), filler) }],
        { sync: true },
      )
      before = filler
    }
    before = row
  }
}

/** J2: the index hears of a record when it is queued. */
export function indexBeforeJournal(): () => void {
  const { push } = JournalWriter.prototype
  JournalWriter.prototype.push = function (item: JournalItem): void {
    item.record()
    push.call(this, { ...item, record: () => {} })
  }
  return () => {
    JournalWriter.prototype.push = push
  }
}

/** J3: a state record is garbage as soon as the index knows it. */
export function collectNewestStates(): () => void {
  const { recordPersist } = LogIndex.prototype
  LogIndex.prototype.recordPersist = function (group, born, persist): void {
    recordPersist.call(this, group, born, persist)
    if (persist.state !== undefined && persist.run === undefined) this.pending.addGarbage(persist.lsn, 1)
  }
  return () => {
    LogIndex.prototype.recordPersist = recordPersist
  }
}

/** J4: deletion goes on, its floor does not reach the disk. */
export function withoutFloor(operations: readonly Operation[]): readonly Operation[] {
  return operations.filter((operation) => Buffer.compare(operation.key, FLOOR_KEY) !== 0)
}
