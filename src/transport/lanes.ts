import type { Message, MessageKind } from '../paxos/messages.ts'
import { CONTROL_MESSAGE_BYTES_MAX, type LaneName } from './limits.ts'

/** Votes and commits in `ctl`, entries and their acceptance in `data`, catching up and repair in `bulk`. */
const LANE_OF_KIND: Readonly<Record<MessageKind, LaneName>> = {
  canvass: 'ctl',
  endorse: 'ctl',
  refuse: 'ctl',
  prepare: 'ctl',
  promise: 'ctl',
  prepareRequest: 'ctl',
  nack: 'ctl',
  learn: 'ctl',
  resign: 'ctl',
  readProbe: 'ctl',
  readAck: 'ctl',
  transferNow: 'ctl',
  acceptSync: 'data',
  accept: 'data',
  accepted: 'data',
  syncRequired: 'bulk',
  syncRequest: 'bulk',
  syncChunk: 'bulk',
  syncReset: 'bulk',
  repairRequest: 'bulk',
  repairResponse: 'bulk',
  repairTrimmed: 'bulk',
}

/** The lane for a message of this size. A promise with a large suffix goes with the data: heartbeats wait for nothing. */
export function laneOf(message: Message, byteLength: number): LaneName {
  const lane = LANE_OF_KIND[message.kind]
  return lane === 'ctl' && byteLength > CONTROL_MESSAGE_BYTES_MAX ? 'data' : lane
}
