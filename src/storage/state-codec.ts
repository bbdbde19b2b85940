import type { Ballot } from '../paxos/ballot.ts'
import type { Configuration, StateRecord } from '../paxos/state.ts'
import type { BrokerId, Replica, Slot, StoreId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { readU64, writeU64 } from './keys.ts'

/*
 * StateRecord, big-endian: promised 10, acceptedBallot 10 · configuration: number u32, fromSlot u64, voter count u8, learner
 * count u16, each replica u16 and 16 bytes of store id · logStart: slot u64, offset u64, chain u32 · minConfiguration u32 ·
 * through u64. A ballot is config u32, round u32, broker u16.
 */
export const BALLOT_BYTES = 10
const REPLICA_BYTES = 18
const FIXED_BYTES = 2 * BALLOT_BYTES + 4 + 8 + 1 + 2 + 8 + 8 + 4 + 4 + 8

export function stateBytes(state: StateRecord): number {
  return (
    FIXED_BYTES + REPLICA_BYTES * (state.configuration.voters.length + state.configuration.learners.length)
  )
}

/** Writes the record and returns where it ends. */
export function writeState(buffer: Buffer, state: StateRecord, start: number): number {
  const { configuration, logStart } = state
  invariant(configuration.voters.length <= 0xff, 'A configuration has at most 255 voters.')
  invariant(configuration.learners.length <= 0xffff, 'A configuration has at most 65535 learners.')
  writeBallot(buffer, state.promised, start)
  writeBallot(buffer, state.acceptedBallot, start + 10)
  buffer.writeUInt32BE(configuration.number, start + 20)
  writeU64(buffer, configuration.fromSlot, start + 24)
  buffer.writeUInt8(configuration.voters.length, start + 32)
  buffer.writeUInt16BE(configuration.learners.length, start + 33)
  let at = start + 35
  for (const replica of configuration.voters) at = writeReplica(buffer, replica, at)
  for (const replica of configuration.learners) at = writeReplica(buffer, replica, at)
  writeU64(buffer, logStart.slot, at)
  writeU64(buffer, logStart.offset, at + 8)
  buffer.writeUInt32BE(logStart.chain, at + 16)
  buffer.writeUInt32BE(state.minConfiguration, at + 20)
  writeU64(buffer, state.through, at + 24)
  return at + 32
}

/** The buffer's seal was checked, so its lengths are those that were written. */
export function readState(buffer: Buffer, start: number): StateRecord {
  const voterCount = buffer.readUInt8(start + 32)
  const learnerCount = buffer.readUInt16BE(start + 33)
  const learnersAt = start + 35 + voterCount * REPLICA_BYTES
  const configuration: Configuration = {
    number: buffer.readUInt32BE(start + 20),
    fromSlot: readU64(buffer, start + 24) as Slot,
    voters: readReplicas(buffer, start + 35, voterCount),
    learners: readReplicas(buffer, learnersAt, learnerCount),
  }
  const at = learnersAt + learnerCount * REPLICA_BYTES
  return {
    promised: readBallot(buffer, start),
    acceptedBallot: readBallot(buffer, start + 10),
    configuration,
    logStart: {
      slot: readU64(buffer, at) as Slot,
      offset: readU64(buffer, at + 8),
      chain: buffer.readUInt32BE(at + 16),
    },
    minConfiguration: buffer.readUInt32BE(at + 20),
    through: readU64(buffer, at + 24) as Slot,
  }
}

export function writeBallot(buffer: Buffer, ballot: Ballot, at: number): void {
  buffer.writeUInt32BE(ballot.config, at)
  buffer.writeUInt32BE(ballot.round, at + 4)
  buffer.writeUInt16BE(ballot.broker, at + 8)
}

export function readBallot(buffer: Buffer, at: number): Ballot {
  return {
    config: buffer.readUInt32BE(at),
    round: buffer.readUInt32BE(at + 4),
    broker: buffer.readUInt16BE(at + 8) as BrokerId,
  }
}

function writeReplica(buffer: Buffer, replica: Replica, at: number): number {
  buffer.writeUInt16BE(replica.broker, at)
  const written = buffer.write(replica.store, at + 2, 16, 'hex')
  invariant(
    written === 16 && replica.store.length === 32,
    `A store id is 32 hex digits, not '${replica.store}'.`,
  )
  return at + REPLICA_BYTES
}

function readReplicas(buffer: Buffer, start: number, count: number): Replica[] {
  const replicas: Replica[] = []
  for (let at = start; replicas.length < count; at += REPLICA_BYTES) {
    replicas.push({
      broker: buffer.readUInt16BE(at) as BrokerId,
      store: buffer.toString('hex', at + 2, at + REPLICA_BYTES) as StoreId,
    })
  }
  return replicas
}
