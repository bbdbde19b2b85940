import { invariant } from '../types/invariant.ts'
import type { BrokerId, StoreId } from '../types/ids.ts'
import type { Heartbeat, SeenStore, StoreReport, StoreStart } from '../detector/heartbeat.ts'
import { MalformedFrameError, type ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

const STALLED = 1
const DRAINING = 2
const OUTSIDER = 4
const FULL = 8
const SEEN_MAX = 0xff
const STARTS_MAX = 0xff

export function encodeHeartbeat(writer: ByteWriter, heartbeat: Heartbeat): void {
  const { heard, store } = heartbeat
  invariant(heard.length <= 0xffff, `A heartbeat names at most 65535 brokers.`)
  invariant(store.seen.length <= SEEN_MAX, `A heartbeat tells of at most ${SEEN_MAX} stores.`)
  invariant(store.starts.length <= STARTS_MAX, `A heartbeat tells of at most ${STARTS_MAX} starts.`)
  writer.shortText(heartbeat.bootId)
  writer.count(heartbeat.sequence)
  writer.count(heartbeat.acknowledged)
  writer.u16(heard.length)
  for (const broker of heard) writer.u16(broker)
  writer.u8(flagsOf(heartbeat))
  writer.shortText(store.storeId)
  writer.u8(store.starts.length)
  for (const { bootId, recovered } of store.starts) {
    writer.shortText(bootId)
    writer.count(recovered)
  }
  writer.count(store.durableLsn)
  writer.shortText(store.view.bootId)
  writer.count(store.view.lost)
  writer.u8(store.seen.length)
  for (const { storeId: id, bootId, walSeq } of store.seen) {
    writer.shortText(id)
    writer.shortText(bootId)
    writer.count(walSeq)
  }
}

function flagsOf({ stalled, draining, full, store }: Heartbeat): number {
  const pulse = (stalled ? STALLED : 0) | (draining ? DRAINING : 0) | (full ? FULL : 0)
  return pulse | (store.isOutsider ? OUTSIDER : 0)
}

/** Throws `MalformedFrameError`. */
export function decodeHeartbeat(reader: ByteReader): Heartbeat {
  const bootId = reader.shortText()
  const sequence = reader.count()
  const acknowledged = reader.count()
  const heard: BrokerId[] = []
  for (let left = reader.u16(); left > 0; left--) heard.push(readBroker(reader))
  const flags = reader.u8()
  if (flags > (STALLED | DRAINING | OUTSIDER | FULL))
    throw new MalformedFrameError(`A heartbeat has unknown flags ${flags}.`)
  const store = readStore(reader, (flags & OUTSIDER) !== 0)
  reader.expectEnd()
  return {
    bootId,
    sequence,
    acknowledged,
    heard,
    stalled: (flags & STALLED) !== 0,
    draining: (flags & DRAINING) !== 0,
    full: (flags & FULL) !== 0,
    store,
  }
}

function readStore(reader: ByteReader, isOutsider: boolean): StoreReport {
  const store = readStoreId(reader)
  const starts: StoreStart[] = []
  for (let left = reader.u8(); left > 0; left--)
    starts.push({ bootId: reader.shortText(), recovered: reader.count() })
  if (starts.length === 0) throw new MalformedFrameError('A heartbeat tells of no start.')
  const durableLsn = reader.count()
  const view = { bootId: reader.shortText(), lost: reader.count() }
  const seen: SeenStore[] = []
  for (let left = reader.u8(); left > 0; left--)
    seen.push({ storeId: readStoreId(reader), bootId: reader.shortText(), walSeq: reader.count() })
  return { storeId: store, starts, durableLsn, isOutsider, view, seen }
}

function readStoreId(reader: ByteReader): StoreId {
  const text = reader.shortText()
  if (!/^[0-9a-f]{32}$/.test(text)) throw new MalformedFrameError('A heartbeat names a store that is none.')
  return text as StoreId
}

function readBroker(reader: ByteReader): BrokerId {
  const broker = reader.u16()
  if (broker === 0) throw new MalformedFrameError('A heartbeat names broker 0.')
  return broker as BrokerId
}
