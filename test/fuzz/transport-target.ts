import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { SynodError } from '../../src/errors.ts'
import type { Message, MessageKind } from '../../src/paxos/messages.ts'
import { ByteReader, DamagedBodyError, MalformedFrameError } from '../../src/transport/byte-reader.ts'
import { flushCode, FlushReader, ForgedFlushError } from '../../src/transport/flush-reader.ts'
import {
  encodeDigestFrame,
  encodeFrame,
  encodeHeartbeatFrame,
  encodeMessageFrame,
  FRAME_TYPE,
  framesOf,
  type EncodedFrame,
  type ReceivedFrame,
} from '../../src/transport/frames.ts'
import { decodeDigest } from '../../src/transport/digest-codec.ts'
import { decodeHeartbeat } from '../../src/transport/heartbeat-codec.ts'
import { RequestProblem } from '../../src/transport/http-answers.ts'
import { decodeMessage } from '../../src/transport/message-codec.ts'
import { messageKindOf } from '../../src/transport/message-fields.ts'
import { messageFromJson, messageToJson } from '../../src/transport/message-json.ts'
import * as requests from '../../src/transport/request-codec.ts'
import { groupId } from '../../src/types/ids.ts'
import {
  arbitraryDigest,
  arbitraryHeartbeat,
  arbitraryMessage,
  MESSAGE_KINDS,
} from '../support/arbitrary-messages.ts'
import { ByteSource } from './byte-source.ts'
import { spoilJson } from './json-source.ts'
import type { FuzzTarget } from './target.ts'

const KEY = Buffer.alloc(32, 7)
const FLUSH_BYTES_MAX = 1_000_000

const message = fc.oneof(...MESSAGE_KINDS.map(arbitraryMessage))
const body = fc.uint8Array({ maxLength: 100 })

/** Every kind of frame that travels between brokers. */
const frame: fc.Arbitrary<EncodedFrame> = fc.oneof(
  { weight: 6, arbitrary: message.map((each) => encodeMessageFrame(groupId(3), each)) },
  { weight: 1, arbitrary: arbitraryHeartbeat.map(encodeHeartbeatFrame) },
  { weight: 1, arbitrary: arbitraryDigest.map(encodeDigestFrame) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('REQUEST', 'ANSWER', 'ERROR', 'CANCEL'), fc.maxSafeNat(), body)
      .map(([type, id, bytes]) =>
        encodeFrame(1, FRAME_TYPE[type], (writer) => {
          if (type === 'REQUEST') requests.encodeRequest(writer, { id, deadlineMs: 9, kind: 'append' }, bytes)
          else if (type === 'ANSWER') requests.encodeAnswer(writer, id, bytes)
          else if (type === 'CANCEL') requests.encodeCancel(writer, id)
          else requests.encodeError(writer, id, new SynodError('no-leader', 'None.', { facts: { a: 1 } }))
        }),
      ),
  },
)
const frames = fc
  .array(frame, { minLength: 1, maxLength: 4 })
  .map((all) => Buffer.concat(all.flatMap((each) => each.chunks)))

function sealed(sequence: number, bytes: Buffer): Buffer {
  const header = Buffer.alloc(4)
  header.writeUInt32BE(bytes.length)
  return Buffer.concat([header, bytes, flushCode(KEY, sequence, [bytes])])
}

/** What both sides of a lane do with a frame, whichever lane it is. */
function decode({ type, payload }: ReceivedFrame): void {
  const reader = new ByteReader(payload)
  switch (type) {
    case FRAME_TYPE.HEARTBEAT:
      return void decodeHeartbeat(reader)
    case FRAME_TYPE.DIGEST:
      return void decodeDigest(reader)
    case FRAME_TYPE.REQUEST:
      return void requests.decodeRequest(reader)
    case FRAME_TYPE.ANSWER:
      return void requests.decodeAnswer(reader)
    case FRAME_TYPE.ERROR:
      return void requests.decodeError(reader)
    case FRAME_TYPE.CANCEL:
      return void requests.decodeCancel(reader)
  }
  const kind = messageKindOf(type)
  if (kind === undefined) throw new MalformedFrameError(`There is no frame of type ${type}.`)
  const decoded = decodeMessage(kind, reader, crc32)
  // Bytes that are read as a message are the bytes of that message: there is one way to write each.
  const [again] = [...framesOf(Buffer.concat(encodeMessageFrame(groupId(3), decoded).chunks))]
  assert.ok(again !== undefined && again.payload.equals(payload), `${kind} has two encodings.`)
}

function isTyped(error: unknown): boolean {
  return (
    error instanceof MalformedFrameError ||
    error instanceof DamagedBodyError ||
    error instanceof ForgedFlushError
  )
}

/** A lane closes on an error of its own kinds; any other ends the broker. */
function expectTyped(run: () => void): void {
  try {
    run()
  } catch (error) {
    assert.ok(isTyped(error), error instanceof Error ? error.stack : String(error))
  }
}

/** A network that changes bytes: of what was sent only whole flushes are handed on, in order, and none after the first bad one. */
export const flushTarget: FuzzTarget = {
  name: 'flushes with changed bytes',
  boundedCases: 600,
  async run({ cases, seed }) {
    fc.assert(
      fc.property(fc.array(frames, { minLength: 1, maxLength: 3 }), fc.nat(), (sent, draw) => {
        const source = new ByteSource(draw)
        const stream = source.spoil(Buffer.concat(sent.map((bytes, place) => sealed(place, bytes))))
        const received: Buffer[] = []
        const reader = new FlushReader({
          key: KEY,
          bytesMax: FLUSH_BYTES_MAX,
          onFlush: (flush) => received.push(Buffer.from(flush)),
        })
        expectTyped(() => {
          for (const piece of source.pieces(stream)) reader.push(piece)
        })
        for (const [place, flush] of received.entries())
          assert.ok(sent[place]?.equals(flush), `Flush ${place} is not what was sent.`)
      }),
      { numRuns: cases, seed },
    )
  },
}

/** A peer with a bug: what it sends has the session's code and makes no sense. */
export const frameTarget: FuzzTarget = {
  name: 'frames with changed bytes, well signed',
  boundedCases: 2_000,
  async run({ cases, seed }) {
    fc.assert(
      fc.property(frames, fc.nat(), fc.boolean(), (sent, draw, isNoise) => {
        const source = new ByteSource(draw)
        const flush = isNoise ? source.bytes(source.length(400)) : source.spoil(sent)
        expectTyped(() => {
          for (const each of framesOf(flush)) decode(each)
        })
        // Unspoiled all of it is read.
        for (const each of framesOf(sent)) decode(each)
      }),
      { numRuns: cases, seed },
    )
  },
}

/** Messages that a person types: read as a message that can be sent on, or refused with the field that is wrong. */
export const typedMessageTarget: FuzzTarget = {
  name: 'typed messages with changed JSON',
  boundedCases: 1_000,
  async run({ cases, seed }) {
    fc.assert(
      fc.property(message, fc.nat(), (sent, draw) => {
        const { random } = new ByteSource(draw)
        const json = spoilJson(messageToJson(sent), random)
        if (typeof json !== 'object' || json === null || Array.isArray(json)) return
        const kind: MessageKind = random.chance(0.9) ? sent.kind : random.pick(MESSAGE_KINDS)
        let read: Message
        try {
          read = messageFromJson(kind, json as Record<string, unknown>, crc32)
        } catch (error) {
          assert.ok(error instanceof RequestProblem, error instanceof Error ? error.stack : String(error))
          return
        }
        encodeMessageFrame(groupId(3), read)
      }),
      { numRuns: cases, seed },
    )
  },
}
