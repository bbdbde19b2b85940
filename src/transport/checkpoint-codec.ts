import type { BrokerId, Replica, Slot, StoreId } from '../types/ids.ts'
import type { Checkpoint, Configuration } from '../paxos/state.ts'
import { MalformedFrameError, type ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

/** broker u16, store 16 bytes. */
const REPLICA_BYTES = 18
const STORE_ID_BYTES = 16

/** slot, offset, lastAppendedAtMs, logBytes as counts; chain, partCount u32; then the configuration. */
export function writeCheckpoint(writer: ByteWriter, checkpoint: Checkpoint): void {
  writer.count(checkpoint.slot)
  writer.count(checkpoint.offset)
  writer.count(checkpoint.lastAppendedAtMs)
  writer.count(checkpoint.logBytes)
  writer.u32(checkpoint.chain)
  writer.u32(checkpoint.partCount)
  const { number, fromSlot, voters, learners } = checkpoint.configuration
  writer.u32(number)
  writer.count(fromSlot)
  writeReplicas(writer, voters)
  writeReplicas(writer, learners)
}

/** Throws `MalformedFrameError`. */
export function readCheckpoint(reader: ByteReader): Checkpoint {
  const slot = reader.count() as Slot
  const offset = reader.count()
  const lastAppendedAtMs = reader.count()
  const logBytes = reader.count()
  const chain = reader.u32()
  const partCount = reader.u32()
  const configuration = readConfiguration(reader)
  return { slot, chain, configuration, partCount, offset, lastAppendedAtMs, logBytes }
}

function readConfiguration(reader: ByteReader): Configuration {
  const number = reader.u32()
  const fromSlot = reader.count() as Slot
  return { number, fromSlot, voters: readReplicas(reader), learners: readReplicas(reader) }
}

function writeReplicas(writer: ByteWriter, replicas: readonly Replica[]): void {
  writer.u16(replicas.length)
  for (const { broker, store } of replicas) {
    writer.u16(broker)
    writer.bytes(Buffer.from(store, 'hex'))
  }
}

function readReplicas(reader: ByteReader): readonly Replica[] {
  const count = reader.u16()
  if (count * REPLICA_BYTES > reader.remaining)
    throw new MalformedFrameError(`${count} replicas do not fit into ${reader.remaining} bytes.`)
  return Array.from({ length: count }, () => {
    const broker = reader.u16() as BrokerId
    const store = Buffer.from(reader.bytes(STORE_ID_BYTES)).toString('hex') as StoreId
    return { broker, store }
  })
}
