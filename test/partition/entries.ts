import { crc32 } from 'node:zlib'
import { brokerId, slot } from '../../src/types/ids.ts'
import type { Idempotency, RecordDraft } from '../../src/types/record.ts'
import { ENTRY_KIND, type Entry, type EntryKind } from '../../src/paxos/state.ts'
import { encodeBatch, peekBatch } from '../../src/partition/record-batch.ts'

/** An entry as the core hands it to a state machine. */
export function entryAt(at: number, kind: EntryKind, body: Uint8Array, recordCount = 0): Entry {
  const origin = { config: 1, round: 1, broker: brokerId(1) }
  return { slot: slot(at), kind, origin, recordCount, body, crc: crc32(body), chain: 0 }
}

export function dataAt(at: number, body: Uint8Array): Entry {
  return entryAt(at, ENTRY_KIND.DATA, body, peekBatch(body).recordCount)
}

export function noopAt(at: number): Entry {
  return entryAt(at, ENTRY_KIND.NOOP, new Uint8Array(0))
}

export function record(text: string): RecordDraft {
  return {
    form: 'text',
    key: undefined,
    value: Buffer.from(text),
    contentType: undefined,
    timestampMs: undefined,
    headers: [],
  }
}

export interface BatchMaking {
  readonly values?: readonly string[]
  readonly atMs?: number
  readonly idempotency?: Idempotency
  readonly expectedOffset?: number
}

export function batch({
  values = ['a'],
  atMs = 1_000,
  idempotency,
  expectedOffset,
}: BatchMaking = {}): Buffer {
  return encodeBatch({ records: values.map(record), appendedAtMs: atMs, idempotency, expectedOffset })
}

export function producer(id: string, epoch: number, seq: number): Idempotency {
  return { kind: 'producer', id, epoch, seq }
}

export function key(name: string, fingerprint = 1): Idempotency {
  return { kind: 'key', key: name, fingerprint: new Uint8Array(32).fill(fingerprint) }
}
