import { crc32 } from 'node:zlib'
import type { Ballot } from '../../src/paxos/ballot.ts'
import type { Accept } from '../../src/paxos/messages.ts'
import type { Entry } from '../../src/paxos/state.ts'
import type { Heartbeat, StoreReport } from '../../src/detector/heartbeat.ts'
import { brokerId, slot, storeId } from '../../src/types/ids.ts'

export const SAMPLE_BALLOT: Ballot = { config: 1, round: 4, broker: brokerId(2) }

export function sampleEntry(at: number, body: Uint8Array): Entry {
  return { slot: slot(at), kind: 1, origin: SAMPLE_BALLOT, recordCount: 1, body, crc: crc32(body), chain: at }
}

export function sampleAccept(at: number, body: Uint8Array): Accept {
  const previous = slot(at - 1)
  return {
    kind: 'accept',
    ballot: SAMPLE_BALLOT,
    previous,
    entries: [sampleEntry(at, body)],
    commit: previous,
  }
}

export function sampleHeartbeat(sequence: number): Heartbeat {
  return {
    bootId: 'boot',
    sequence,
    acknowledged: 0,
    heard: [],
    stalled: false,
    draining: false,
    full: false,
    store: sampleReport({ durableLsn: sequence }),
  }
}

/** Of a store of which nothing is known, as a heartbeat tells it. */
export function sampleReport(more: Partial<StoreReport> = {}): StoreReport {
  return {
    storeId: storeId('a'.repeat(32)),
    starts: [{ bootId: 'sample', recovered: 0 }],
    durableLsn: 0,
    isOutsider: false,
    view: { bootId: '', lost: 0 },
    seen: [],
    ...more,
  }
}
