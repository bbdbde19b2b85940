import { SynodError } from '../../errors.ts'
import { parseBatch } from '../http/batch-body.ts'
import { memberSlices } from '../http/json-slices.ts'
import type { Chunk } from '../reading/follow.ts'
import { headerLength, textFrame, writeHeader } from './frame.ts'
import type { RecordsHead, SessionCodec } from './session-codec.ts'
import { producedJson, readFrame, recordsJson } from './session-json.ts'

/** `synod.v1.json`: each frame is one JSON object in a text message. */
export const TEXT_CODEC: SessionCodec = {
  read(data, isBinary) {
    if (!isBinary) return readFrame(data)
    throw new SynodError('unsupported-media-type', 'A binary message came, and this session speaks text.', {
      hint: 'Open the session with the subprotocol synod.v1.bin.',
    })
  },
  recordsOf: (data) => parseBatch(batchOf(data)),
  frame: (frame) => textFrame(JSON.stringify(frame)),
  produced: (id, results) => textFrame(producedJson(id, results)),
  records: recordsText,
}

/** The body of a batch, as HTTP takes it, cut out of a produce frame so that values stay byte for byte. */
function batchOf(data: Buffer): Buffer {
  const records = memberSlices(data).get('records') ?? Buffer.from('null')
  return Buffer.concat([Buffer.from('{"records":'), records, Buffer.from('}')])
}

function recordsText(chunk: Chunk, head: RecordsHead): readonly Buffer[] {
  const pieces = recordsJson(chunk, head, 'elements')
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const header = Buffer.allocUnsafe(headerLength(length))
  writeHeader(header, 0, 'text', length)
  return [header, ...pieces]
}
