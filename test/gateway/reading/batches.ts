import type { CommittedBatch, RecordForm, StoredRecord } from '../../../src/types/record.ts'

/** A record with everything optional left out. */
export function storedRecord(
  offset: number,
  more: Partial<Omit<StoredRecord, 'value'>> & { readonly value?: string | Uint8Array } = {},
): StoredRecord {
  const value = more.value ?? `v${offset}`
  return {
    form: 'text' as RecordForm,
    key: undefined,
    contentType: undefined,
    timestampMs: 1_700_000_000_000 + offset,
    headers: [],
    ...more,
    offset,
    value: typeof value === 'string' ? Buffer.from(value) : value,
  }
}

/** A batch that counts how often its records are looked at: each encoding looks once. */
export function countedBatch(
  records: readonly StoredRecord[],
): CommittedBatch & { readonly looks: () => number } {
  let looks = 0
  return {
    baseOffset: records[0]?.offset ?? 0,
    recordCount: records.length,
    appendedAtMs: 1_700_000_000_000,
    idempotency: undefined,
    byteLength: records.reduce((sum, record) => sum + record.value.byteLength + 32, 0),
    get records() {
      looks++
      return records
    },
    looks: () => looks,
  }
}
