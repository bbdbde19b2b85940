import type { PlacedDraft } from '../http/append.ts'
import type { Chunk } from '../reading/follow.ts'
import type { ClientFrame, ClientFrameOf, ServerFrame } from './session-frames.ts'

/** What stands around the records of a frame. */
export interface RecordsHead {
  readonly topicName: string
  readonly sid: string
  readonly epoch: number
  readonly cursor: string
}

/** How a session's frames stand in messages: the two subprotocols differ in nothing else. */
export interface SessionCodec {
  /**
   * One message of the client. Errors, all of which mean that it is no frame: 'malformed-json', 'unknown-field',
   * 'invalid-field', 'unsupported-media-type'.
   */
  read(data: Buffer, isBinary: boolean): ClientFrame
  /** The records of a produce frame that `read` made of `data`; they may be views into it. Errors: those of `parseBatch`. */
  recordsOf(data: Buffer, frame: ClientFrameOf<'produce'>): PlacedDraft[]
  frame(frame: ServerFrame): Buffer
  /** `results`: receipts as JSON. */
  produced(id: string, results: readonly string[]): Buffer
  /** One frame with the records of the chunk, in pieces. */
  records(chunk: Chunk, head: RecordsHead): readonly Buffer[]
}
