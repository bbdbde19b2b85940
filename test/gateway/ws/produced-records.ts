import assert from 'node:assert/strict'
import type { PlacedDraft } from '../../../src/gateway/http/append.ts'
import type { SessionCodec } from '../../../src/gateway/ws/session-codec.ts'

/** The records of a message that is a produce frame. */
export function producedRecords(
  codec: SessionCodec,
  data: Buffer,
  isBinary: boolean,
): readonly PlacedDraft[] {
  const frame = codec.read(data, isBinary)
  assert.equal(frame.type, 'produce')
  return codec.recordsOf(data, frame)
}
