import type { Digest } from '../types/digest.ts'
import { groupId, type GroupId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Message } from '../paxos/messages.ts'
import type { Heartbeat } from '../detector/heartbeat.ts'
import { MalformedFrameError } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { encodeDigest } from './digest-codec.ts'
import { encodeHeartbeat } from './heartbeat-codec.ts'
import { FRAME_BYTES_MAX } from './limits.ts'
import { encodeMessage } from './message-codec.ts'
import { MESSAGE_TYPES } from './message-fields.ts'

/** Type bytes of the frames that are no messages; those are in `message-fields.ts`. Keep them stable. */
export const FRAME_TYPE = {
  HEARTBEAT: 64,
  DIGEST: 65,
  REQUEST: 80,
  ANSWER: 81,
  ERROR: 82,
  CANCEL: 83,
} as const

/** `u32 length | u32 group | u8 type`; the length counts what follows it. */
export const FRAME_HEADER_BYTES = 9
const LENGTH_BYTES = 4

/** A message has grown beyond what one frame may hold. */
export class FrameTooLargeError extends Error {
  override readonly name = 'FrameTooLargeError'
}

/** A frame ready to leave: its buffers in order, the first of which begins with the header. */
export interface EncodedFrame {
  readonly chunks: readonly Buffer[]
  readonly byteLength: number
}

/** A frame as it came in; the payload is a view. */
export interface ReceivedFrame {
  readonly group: GroupId
  readonly type: number
  readonly payload: Buffer
}

/** Error: `FrameTooLargeError` when the frame is larger than `FRAME_BYTES_MAX`. */
export function encodeFrame(group: number, type: number, write: (writer: ByteWriter) => void): EncodedFrame {
  const writer = new ByteWriter()
  writer.u32(0)
  writer.u32(group)
  writer.u8(type)
  write(writer)
  const byteLength = writer.byteLength
  if (byteLength > FRAME_BYTES_MAX) {
    throw new FrameTooLargeError(`A frame of ${byteLength} bytes is above the bound of ${FRAME_BYTES_MAX}.`)
  }
  const chunks = writer.finish()
  const first = chunks[0]
  invariant(first !== undefined && first.length >= FRAME_HEADER_BYTES, 'A frame begins with its header.')
  first.writeUInt32BE(byteLength - LENGTH_BYTES, 0)
  return { chunks, byteLength }
}

export function encodeMessageFrame(group: GroupId, message: Message): EncodedFrame {
  return encodeFrame(group, MESSAGE_TYPES[message.kind], (writer) => encodeMessage(writer, message))
}

export function encodeHeartbeatFrame(heartbeat: Heartbeat): EncodedFrame {
  return encodeFrame(0, FRAME_TYPE.HEARTBEAT, (writer) => encodeHeartbeat(writer, heartbeat))
}

export function encodeDigestFrame(digest: Digest): EncodedFrame {
  return encodeFrame(0, FRAME_TYPE.DIGEST, (writer) => encodeDigest(writer, digest))
}

/** The frames of one verified flush, in order. Throws `MalformedFrameError` where they end in the middle. */
export function* framesOf(flush: Buffer): Generator<ReceivedFrame> {
  let position = 0
  while (position < flush.length) {
    if (flush.length - position < FRAME_HEADER_BYTES)
      throw new MalformedFrameError('A flush ends within a header.')
    const length = flush.readUInt32BE(position)
    const end = position + LENGTH_BYTES + length
    if (length < FRAME_HEADER_BYTES - LENGTH_BYTES || length > FRAME_BYTES_MAX || end > flush.length) {
      throw new MalformedFrameError(`A frame announces ${length} bytes in a flush of ${flush.length}.`)
    }
    yield {
      group: groupId(flush.readUInt32BE(position + LENGTH_BYTES)),
      type: flush.readUInt8(position + FRAME_HEADER_BYTES - 1),
      payload: flush.subarray(position + FRAME_HEADER_BYTES, end),
    }
    position = end
  }
}
