import { invariant } from '../types/invariant.ts'
import type { BrokerId } from '../types/ids.ts'
import type { Heartbeat } from '../detector/heartbeat.ts'
import { MalformedFrameError, type ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

const STALLED = 1
const DRAINING = 2

export function encodeHeartbeat(writer: ByteWriter, heartbeat: Heartbeat): void {
  invariant(heartbeat.heard.length <= 0xffff, `A heartbeat names at most 65535 brokers.`)
  writer.shortText(heartbeat.bootId)
  writer.count(heartbeat.sequence)
  writer.count(heartbeat.acknowledged)
  writer.u16(heartbeat.heard.length)
  for (const broker of heartbeat.heard) writer.u16(broker)
  writer.u8((heartbeat.stalled ? STALLED : 0) | (heartbeat.draining ? DRAINING : 0))
  writer.count(heartbeat.durableLsn)
}

/** Throws `MalformedFrameError`. */
export function decodeHeartbeat(reader: ByteReader): Heartbeat {
  const bootId = reader.shortText()
  const sequence = reader.count()
  const acknowledged = reader.count()
  const heard: BrokerId[] = []
  for (let left = reader.u16(); left > 0; left--) heard.push(readBroker(reader))
  const flags = reader.u8()
  if (flags > (STALLED | DRAINING)) throw new MalformedFrameError(`A heartbeat has unknown flags ${flags}.`)
  const durableLsn = reader.count()
  reader.expectEnd()
  return {
    bootId,
    sequence,
    acknowledged,
    heard,
    stalled: (flags & STALLED) !== 0,
    draining: (flags & DRAINING) !== 0,
    durableLsn,
  }
}

function readBroker(reader: ByteReader): BrokerId {
  const broker = reader.u16()
  if (broker === 0) throw new MalformedFrameError('A heartbeat names broker 0.')
  return broker as BrokerId
}
