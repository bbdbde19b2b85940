import type { GroupId } from '../../src/types/ids.ts'
import type { Idempotency, RecordDraft } from '../../src/types/record.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { decodeRecords, encodeBatch, peekBatch } from '../../src/partition/record-batch.ts'

/** One thing that a client wants stored once, however often it has to send it. */
export interface Request {
  /** Unique in the run; each record's value says it. */
  readonly id: number
  readonly group: GroupId
  readonly idempotency: Idempotency | undefined
  readonly recordCount: number
}

/** What a broker tells a client. 'refused': nothing was stored, for certain. 'unknown': it may have been. */
export type Answer =
  | { readonly kind: 'stored'; readonly baseOffset: number | undefined }
  | { readonly kind: 'refused'; readonly leader: number | undefined }
  | { readonly kind: 'unknown' }

/** The body as it travels; a new one for each attempt, because the leader writes its time into it. */
export function encodeRequest(request: Request): Uint8Array {
  const value = new TextEncoder().encode(String(request.id))
  const record: RecordDraft = {
    form: 'text',
    key: undefined,
    value,
    contentType: undefined,
    timestampMs: undefined,
    headers: [],
  }
  const records = Array.from({ length: request.recordCount }, () => record)
  return encodeBatch({
    records,
    appendedAtMs: 0,
    idempotency: request.idempotency,
    expectedOffset: undefined,
  })
}

/** What an entry's own body says of the request that it came from; undefined for control entries. */
export function requestOf(entry: Entry): Omit<Request, 'group'> | undefined {
  if (entry.kind !== ENTRY_KIND.DATA) return undefined
  const { idempotency, recordCount } = peekBatch(entry.body)
  const first = decodeRecords(entry.body, 0)[0]
  return { id: Number(new TextDecoder().decode(first?.value)), idempotency, recordCount }
}
