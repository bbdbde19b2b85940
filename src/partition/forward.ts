import type { BrokerId } from '../types/ids.ts'
import type { CommittedBatch } from '../types/record.ts'
import { SynodError } from '../errors.ts'
import { committedBatch } from './record-batch.ts'
import type { LeaderFreshness } from './freshness.ts'
import type { AppendOutcome } from './append-outcome.ts'
import type { PartitionRead } from './partition.ts'

/** Codecs of calls that go to another broker (lane `fwd`): JSON for the small parts, batches as they are stored. */

const APPEND_ALL = 1

/** u8 flags, u32 milliseconds the leader may take, then the encoded batch. */
export function encodeAppend(
  batch: Uint8Array,
  options: { acks: 'majority' | 'all'; timeoutMs: number },
): Uint8Array {
  const body = Buffer.allocUnsafe(5 + batch.length)
  body.writeUInt8(options.acks === 'all' ? APPEND_ALL : 0, 0)
  body.writeUInt32BE(options.timeoutMs, 1)
  body.set(batch, 5)
  return body
}

export function decodeAppend(body: Uint8Array): {
  batch: Uint8Array
  acks: 'majority' | 'all'
  timeoutMs: number
} {
  if (body.length < 5) throw malformed('append')
  const view = Buffer.from(body.buffer, body.byteOffset, body.length)
  // A copy: the leader writes its time into the batch and keeps it, while the frame's buffer holds other frames too.
  return {
    batch: Buffer.from(view.subarray(5)),
    acks: view[0] === APPEND_ALL ? 'all' : 'majority',
    timeoutMs: view.readUInt32BE(1),
  }
}

export function encodeOutcome(outcome: AppendOutcome): Uint8Array {
  return encodeJson(outcome)
}

export function decodeOutcome(body: Uint8Array): AppendOutcome {
  const { baseOffset, recordCount, appendedAtMs, duplicate } = decodeJson(body) as AppendOutcome
  return { baseOffset, recordCount, appendedAtMs, duplicate }
}

export interface ForwardedRead {
  readonly fromOffset: number
  readonly recordsMax: number
  readonly bytesMax: number
  readonly waitMs: number
  /** A follower may answer, too, with what it knows to be chosen. */
  readonly isAnyReplica?: boolean
  readonly freshness?: LeaderFreshness | undefined
}

/** u32 length of a JSON head, the head, then the stored batches one after the other. */
export function encodeReadAnswer(
  read: PartitionRead,
  bodyOf: (batch: CommittedBatch) => Uint8Array,
): Uint8Array {
  const bodies = read.batches.map(bodyOf)
  const head = encodeJson({
    logStart: read.logStart,
    highWatermark: read.highWatermark,
    batches: read.batches.map((batch, index) => [batch.baseOffset, bodies[index]!.length]),
  })
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(head.length, 0)
  return Buffer.concat([length, head, ...bodies])
}

export function decodeReadAnswer(body: Uint8Array): PartitionRead {
  const view = Buffer.from(body.buffer, body.byteOffset, body.length)
  if (view.length < 4) throw malformed('read')
  const headEnd = 4 + view.readUInt32BE(0)
  const head = decodeJson(view.subarray(4, headEnd)) as {
    logStart: number
    highWatermark: number
    batches: readonly [baseOffset: number, byteLength: number][]
  }
  let at = headEnd
  const batches = head.batches.map(([baseOffset, byteLength]) => {
    at += byteLength
    return committedBatch(view.subarray(at - byteLength, at), baseOffset)
  })
  return { batches, logStart: head.logStart, highWatermark: head.highWatermark }
}

export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

export function decodeJson(body: Uint8Array): unknown {
  return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
}

/** 'no-leader' with the hint that the router follows. */
export function notLeader(leader: BrokerId | undefined): SynodError {
  return new SynodError('no-leader', 'This broker does not lead the partition.', {
    facts: leader === undefined ? {} : { leader },
    retryAfterMs: 500,
  })
}

function malformed(kind: string): SynodError {
  return new SynodError('malformed-request', `A forwarded ${kind} request is too short.`)
}
