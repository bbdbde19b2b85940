import { SynodError } from '../../errors.ts'
import { parseBatch } from '../http/batch-body.ts'
import { memberSlices, parseJson } from '../http/json-slices.ts'
import { meantOrAll } from '../http/suggest.ts'
import { encodedOnce } from '../reading/encoded-batch.ts'
import type { Chunk } from '../reading/follow.ts'
import { batchLines } from '../reading/record-json.ts'
import { headerLength, textFrame, writeHeader } from './frame.ts'
import type { RecordsHead, SessionCodec } from './session-codec.ts'
import { READ_FRAMES, type ClientFrame } from './session-frames.ts'

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
  produced: (id, results) =>
    textFrame(`{"type":"produced","id":${JSON.stringify(id)},"results":[${results.join(',')}]}`),
  records: recordsText,
}

/** Errors: 'malformed-json', 'unknown-field', 'invalid-field' with a pointer: the frame is no frame. */
function readFrame(data: Buffer): ClientFrame {
  const body = parseJson(data)
  const type: unknown = typeof body === 'object' && body !== null && 'type' in body ? body.type : undefined
  const names = Object.keys(READ_FRAMES)
  if (typeof type !== 'string' || !Object.hasOwn(READ_FRAMES, type)) {
    const given = typeof type === 'string' ? type.slice(0, 64) : ''
    throw fault('invalid-field', '/type', `There is no frame of type '${given}'.`, meantOrAll(given, names))
  }
  const parsed = READ_FRAMES[type as keyof typeof READ_FRAMES].safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const pointer = (issue?.path ?? []).map((part) => `/${String(part).slice(0, 128)}`).join('')
  if (issue?.code === 'unrecognized_keys') {
    const name = (issue.keys[0] ?? '').slice(0, 128)
    throw fault('unknown-field', `${pointer}/${name}`, `There is no field '${name}' here.`, FRAMES_HINT)
  }
  const detail = `The frame '${type}' does not fit at '${pointer}': ${issue?.message ?? 'it is invalid'}.`
  throw fault('invalid-field', pointer, detail, FRAMES_HINT)
}

/** The body of a batch, as HTTP takes it, cut out of a produce frame so that values stay byte for byte. */
function batchOf(data: Buffer): Buffer {
  const records = memberSlices(data).get('records') ?? Buffer.from('null')
  return Buffer.concat([Buffer.from('{"records":'), records, Buffer.from('}')])
}

/** The records of the chunk as one frame. Each record is encoded once for all subscribers. */
function recordsText(chunk: Chunk, head: RecordsHead): readonly Buffer[] {
  const parts = chunk.batches.flatMap((batch): Buffer[] => {
    const { bytes, starts } = encodedOnce(batch, 'elements', () =>
      elementsOf(batchLines(head.topicName, chunk.partition, batch)),
    )
    const begin = Math.max(0, chunk.fromOffset - batch.baseOffset)
    const end = Math.min(batch.recordCount, chunk.nextOffset - batch.baseOffset)
    return begin >= end ? [] : [bytes.subarray(starts[begin], starts[end] ?? bytes.length)]
  })
  const before = Buffer.from(
    `{"type":"records","sid":${JSON.stringify(head.sid)},"epoch":${head.epoch},"records":[`,
  )
  const after = Buffer.from(`],"cursor":"${head.cursor}"}`)
  // Each element brings a comma; the last one's is left out.
  const last = parts.length - 1
  const elements = parts.map((part, index) => (index === last ? part.subarray(0, -1) : part))
  const length = elements.reduce((sum, part) => sum + part.length, before.length + after.length)
  const header = Buffer.allocUnsafe(headerLength(length))
  writeHeader(header, 0, 'text', length)
  return [Buffer.concat([header, before]), ...elements, after]
}

function elementsOf(lines: readonly string[]): { readonly bytes: Buffer; readonly starts: Uint32Array } {
  const starts = new Uint32Array(lines.length)
  let length = 0
  for (const [index, line] of lines.entries()) {
    starts[index] = length
    length += Buffer.byteLength(line) + 1
  }
  return { bytes: Buffer.from(`${lines.join(',')},`), starts }
}

const FRAMES_HINT = 'GET /asyncapi.json shows what each frame holds.'

function fault(
  code: 'invalid-field' | 'unknown-field',
  pointer: string,
  detail: string,
  hint: string,
): SynodError {
  return new SynodError(code, detail, { hint, facts: { errors: [{ pointer, code, detail }] } })
}
