import { SynodError } from '../../errors.ts'
import { parseJson } from '../http/json-slices.ts'
import { meantOrAll } from '../http/suggest.ts'
import { encodedOnce, type EncodedBatch } from '../reading/encoded-batch.ts'
import type { Chunk } from '../reading/follow.ts'
import { batchHeads, batchLines } from '../reading/record-json.ts'
import type { RecordsHead } from './session-codec.ts'
import { READ_FRAMES, type ClientFrame } from './session-frames.ts'

/*
 * What both subprotocols share: a frame is a JSON object, and records are encoded once for all subscribers.
 */

const FRAMES_HINT = 'GET /asyncapi.json shows what each frame holds.'
const LINES_OF = { elements: batchLines, heads: batchHeads } as const

/** Errors: 'malformed-json', 'unknown-field', 'invalid-field' with a pointer: the frame is no frame. */
export function readFrame(json: Buffer): ClientFrame {
  const body = parseJson(json)
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

/** The frame `produced`; `results` are receipts as JSON. */
export function producedJson(id: string, results: readonly string[]): string {
  return `{"type":"produced","id":${JSON.stringify(id)},"results":[${results.join(',')}]}`
}

/** The frame `records` in pieces: with whole records as its elements, or with their heads alone. */
export function recordsJson(chunk: Chunk, head: RecordsHead, form: keyof typeof LINES_OF): readonly Buffer[] {
  const parts = chunk.batches.flatMap((batch): Buffer[] => {
    const { bytes, starts } = encodedOnce(batch, form, () =>
      elementsOf(LINES_OF[form](head.topicName, chunk.partition, batch)),
    )
    const begin = Math.max(0, chunk.fromOffset - batch.baseOffset)
    const end = Math.min(batch.recordCount, chunk.nextOffset - batch.baseOffset)
    return begin >= end ? [] : [bytes.subarray(starts[begin], starts[end] ?? bytes.length)]
  })
  // Each element brings a comma; the last one's is left out.
  const last = parts.length - 1
  const elements = parts.map((part, index) => (index === last ? part.subarray(0, -1) : part))
  const { sid, epoch, cursor } = head
  const before = `{"type":"records","sid":${JSON.stringify(sid)},"epoch":${epoch},"records":[`
  return [Buffer.from(before), ...elements, Buffer.from(`],"cursor":"${cursor}"}`)]
}

function elementsOf(lines: readonly string[]): EncodedBatch {
  const starts = new Uint32Array(lines.length)
  let length = 0
  for (const [index, line] of lines.entries()) {
    starts[index] = length
    length += Buffer.byteLength(line) + 1
  }
  return { bytes: Buffer.from(`${lines.join(',')},`), starts }
}

function fault(
  code: 'invalid-field' | 'unknown-field',
  pointer: string,
  detail: string,
  hint: string,
): SynodError {
  return new SynodError(code, detail, { hint, facts: { errors: [{ pointer, code, detail }] } })
}
