import type { Ballot } from '../paxos/ballot.ts'
import type { Checkpoint, Configuration, StateRecord } from '../paxos/state.ts'
import type { BrokerId, Replica, Slot, StoreId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { readU64, writeU64 } from './keys.ts'

/*
 * StateRecord, big-endian: promised 10, acceptedBallot 10 · minConfiguration u32 · through u64 · configuration · logStart ·
 * checkpoint count u8, each. A ballot is config u32, round u32, broker u16. A configuration is number u32, fromSlot u64,
 * voter count u8, learner count u16, each replica u16 and 16 bytes of store id. A checkpoint is slot u64, offset u64,
 * lastAppendedAtMs u64, logBytes u64, chain u32, part count u32, and its configuration behind a 1, or a 0 alone for that of
 * the record.
 */
export const BALLOT_BYTES = 10
const REPLICA_BYTES = 18
const FIXED_BYTES = 2 * BALLOT_BYTES + 4 + 8
const CONFIGURATION_BYTES = 4 + 8 + 1 + 2
const CHECKPOINT_BYTES = 8 + 8 + 8 + 8 + 4 + 4 + 1

export function stateBytes(state: StateRecord): number {
  const { configuration, logStart, checkpoints } = state
  let bytes = FIXED_BYTES + configurationBytes(configuration) + checkpointBytes(logStart, configuration) + 1
  for (const checkpoint of checkpoints) bytes += checkpointBytes(checkpoint, configuration)
  return bytes
}

function configurationBytes({ voters, learners }: Configuration): number {
  return CONFIGURATION_BYTES + REPLICA_BYTES * (voters.length + learners.length)
}

function checkpointBytes(checkpoint: Checkpoint, current: Configuration): number {
  const own = checkpoint.configuration
  return CHECKPOINT_BYTES + (own.number === current.number ? 0 : configurationBytes(own))
}

/** Writes the record and returns where it ends. */
export function writeState(buffer: Buffer, state: StateRecord, start: number): number {
  const { configuration, checkpoints } = state
  writeBallot(buffer, state.promised, start)
  writeBallot(buffer, state.acceptedBallot, start + 10)
  buffer.writeUInt32BE(state.minConfiguration, start + 20)
  writeU64(buffer, state.through, start + 24)
  let at = writeConfiguration(buffer, configuration, start + FIXED_BYTES)
  at = writeCheckpoint(buffer, state.logStart, { at, current: configuration })
  at = buffer.writeUInt8(checkpoints.length, at)
  for (const checkpoint of checkpoints)
    at = writeCheckpoint(buffer, checkpoint, { at, current: configuration })
  return at
}

/** The buffer's seal was checked, so its lengths are those that were written. */
export function readState(buffer: Buffer, start: number): StateRecord {
  const [configuration, logStartAt] = readConfiguration(buffer, start + FIXED_BYTES)
  const [logStart, countAt] = readCheckpoint(buffer, { at: logStartAt, current: configuration })
  const count = buffer.readUInt8(countAt)
  const checkpoints: Checkpoint[] = []
  for (let at = countAt + 1; checkpoints.length < count;) {
    const [checkpoint, end] = readCheckpoint(buffer, { at, current: configuration })
    checkpoints.push(checkpoint)
    at = end
  }
  return {
    promised: readBallot(buffer, start),
    acceptedBallot: readBallot(buffer, start + 10),
    minConfiguration: buffer.readUInt32BE(start + 20),
    through: readU64(buffer, start + 24) as Slot,
    configuration,
    logStart,
    checkpoints,
  }
}

function writeConfiguration(buffer: Buffer, configuration: Configuration, start: number): number {
  const { voters, learners } = configuration
  invariant(voters.length <= 0xff, 'A configuration has at most 255 voters.')
  invariant(learners.length <= 0xffff, 'A configuration has at most 65535 learners.')
  buffer.writeUInt32BE(configuration.number, start)
  writeU64(buffer, configuration.fromSlot, start + 4)
  buffer.writeUInt8(voters.length, start + 12)
  buffer.writeUInt16BE(learners.length, start + 13)
  let at = start + CONFIGURATION_BYTES
  for (const replica of voters) at = writeReplica(buffer, replica, at)
  for (const replica of learners) at = writeReplica(buffer, replica, at)
  return at
}

function readConfiguration(buffer: Buffer, start: number): [configuration: Configuration, end: number] {
  const voterCount = buffer.readUInt8(start + 12)
  const learnerCount = buffer.readUInt16BE(start + 13)
  const votersAt = start + CONFIGURATION_BYTES
  const learnersAt = votersAt + voterCount * REPLICA_BYTES
  const configuration: Configuration = {
    number: buffer.readUInt32BE(start),
    fromSlot: readU64(buffer, start + 4) as Slot,
    voters: readReplicas(buffer, votersAt, voterCount),
    learners: readReplicas(buffer, learnersAt, learnerCount),
  }
  return [configuration, learnersAt + learnerCount * REPLICA_BYTES]
}

/** Where a checkpoint stands in a buffer, and the configuration of its state record. */
interface CheckpointPlace {
  readonly at: number
  readonly current: Configuration
}

function writeCheckpoint(buffer: Buffer, checkpoint: Checkpoint, { at, current }: CheckpointPlace): number {
  const own = checkpoint.configuration
  writeU64(buffer, checkpoint.slot, at)
  writeU64(buffer, checkpoint.offset, at + 8)
  writeU64(buffer, checkpoint.lastAppendedAtMs, at + 16)
  writeU64(buffer, checkpoint.logBytes, at + 24)
  buffer.writeUInt32BE(checkpoint.chain, at + 32)
  buffer.writeUInt32BE(checkpoint.partCount, at + 36)
  const isCurrent = own.number === current.number
  const end = buffer.writeUInt8(isCurrent ? 0 : 1, at + 40)
  return isCurrent ? end : writeConfiguration(buffer, own, end)
}

function readCheckpoint(buffer: Buffer, { at, current }: CheckpointPlace): [Checkpoint, end: number] {
  const isCurrent = buffer.readUInt8(at + 40) === 0
  const [configuration, end] = isCurrent
    ? [current, at + CHECKPOINT_BYTES]
    : readConfiguration(buffer, at + CHECKPOINT_BYTES)
  const checkpoint: Checkpoint = {
    slot: readU64(buffer, at) as Slot,
    offset: readU64(buffer, at + 8),
    lastAppendedAtMs: readU64(buffer, at + 16),
    logBytes: readU64(buffer, at + 24),
    chain: buffer.readUInt32BE(at + 32),
    partCount: buffer.readUInt32BE(at + 36),
    configuration,
  }
  return [checkpoint, end]
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
