import { SynodError } from '../../errors.ts'
import type { RecordDraft } from '../../types/record.ts'
import type { PlacedDraft } from './append.ts'
import { elementSlices, memberSlices, parseJson } from './json-slices.ts'
import { checkHeaders, checkKey, checkUnicode } from './record-draft.ts'
import { meantOrAll } from './suggest.ts'
import { parseTimestamp } from './timestamp.ts'

export const BATCH_RECORDS_MAX = 1_000
const RECORD_FIELDS = ['key', 'value', 'text', 'base64', 'headers', 'partition', 'timestamp'] as const
export const VALUE_FIELDS = ['value', 'text', 'base64'] as const
const PARTITION_MAX = 99_999

/**
 * Reads the body of a batch. A JSON `value` is cut out of the source, so that it is stored byte for byte: numbers beyond
 * 2^53, the order of members and their spacing stay as they were sent.
 * Errors: 'malformed-json', 'unknown-field', 'invalid-field', each with a pointer; 'batch-too-large'.
 */
export function parseBatch(source: Buffer): PlacedDraft[] {
  const body = parseJson(source)
  if (!isObject(body)) throw invalid('', 'The body is not an object.', 'Send {"records":[{"text":"hello"}]}.')
  checkFields(body, ['records'], '')
  const records = checkedList(body['records'])
  const hasJsonValues = records.some((record) => isObject(record) && Object.hasOwn(record, 'value'))
  const slices = hasJsonValues ? elementSlices(memberSlices(source).get('records') ?? source) : []
  return records.map((record: unknown, index) => placedDraft(record, `/records/${index}`, slices[index]))
}

/**
 * Reads parsed records without the fields of `VALUE_FIELDS`, whose values are elsewhere: each is a tombstone here. Errors: as
 * `parseBatch`.
 */
export function placeHeads(records: unknown): PlacedDraft[] {
  return checkedList(records).map((record, index) => placedDraft(record, `/records/${index}`, undefined))
}

function checkedList(records: unknown): readonly unknown[] {
  if (!Array.isArray(records))
    throw invalid('/records', 'There is no array `records`.', 'Send {"records":[{"text":"hello"}]}.')
  if (records.length === 0) throw invalid('/records', '`records` is empty.', 'Send 1 to 1,000 records.')
  if (records.length > BATCH_RECORDS_MAX)
    throw new SynodError('batch-too-large', `The batch has ${records.length} records.`, {
      hint: `Send at most ${BATCH_RECORDS_MAX} records in one request.`,
    })
  return records
}

/** Reads one record, as a line of an ingest has it. Errors: as `parseBatch`. */
export function parseRecord(source: Buffer): PlacedDraft {
  return placedDraft(parseJson(source), '', source)
}

function placedDraft(record: unknown, pointer: string, slice: Buffer | undefined): PlacedDraft {
  if (!isObject(record)) throw invalid(pointer, 'A record is not an object.', 'Write it as {"text":"hello"}.')
  checkFields(record, RECORD_FIELDS, pointer)
  const key = optionalText(record, 'key', pointer)
  checkKey(key, (detail, hint) => invalid(`${pointer}/key`, detail, hint))
  const headers = headersOf(record['headers'], `${pointer}/headers`)
  return {
    draft: {
      key,
      headers,
      contentType: undefined,
      timestampMs: timestampOf(record, pointer),
      ...valueOf(record, pointer, slice),
    },
    partition: partitionOf(record['partition'], `${pointer}/partition`),
  }
}

function valueOf(
  record: JsonObject,
  pointer: string,
  slice: Buffer | undefined,
): Pick<RecordDraft, 'form' | 'value'> {
  const given = VALUE_FIELDS.filter((field) => Object.hasOwn(record, field))
  const [field] = given
  if (given.length > 1)
    throw invalid(
      pointer,
      `A record has both '${given[0]}' and '${given[1]}'.`,
      'Give one of value, text and base64.',
    )
  if (field === undefined) return { form: 'tombstone', value: Buffer.alloc(0) }
  if (field === 'value') {
    const value = slice === undefined ? undefined : memberSlices(slice).get('value')
    if (value === undefined)
      throw new SynodError('internal', 'The value of a record was not found in its source.')
    return { form: 'json', value }
  }
  const text = optionalText(record, field, pointer) ?? ''
  if (field === 'text') {
    checkUnicode(text, (detail, hint) => invalid(`${pointer}/text`, detail, hint))
    return { form: 'text', value: Buffer.from(text) }
  }
  const value = Buffer.from(text, 'base64')
  if (value.toString('base64') !== text)
    throw invalid(
      `${pointer}/base64`,
      `'${text.slice(0, 40)}' is not base64.`,
      'Use the standard alphabet, with padding.',
    )
  return { form: 'bytes', value }
}

function timestampOf(record: JsonObject, pointer: string): number | undefined {
  const text = optionalText(record, 'timestamp', pointer)
  if (text === undefined) return undefined
  const timestampMs = parseTimestamp(text)
  if (timestampMs !== undefined) return timestampMs
  throw invalid(
    `${pointer}/timestamp`,
    `'${text.slice(0, 40)}' is no RFC 3339 time.`,
    'Write it as 2026-01-31T12:00:00.000Z.',
  )
}

function partitionOf(value: unknown, pointer: string): number | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= PARTITION_MAX)
    return value
  throw invalid(
    pointer,
    `${JSON.stringify(value)} is not the number of a partition.`,
    'Partitions are numbered from 0.',
  )
}

function headersOf(value: unknown, pointer: string): [string, string][] {
  if (value === undefined) return []
  const hint = 'Write headers as {"trace":"abc"}.'
  if (!isObject(value)) throw invalid(pointer, '`headers` is not an object.', hint)
  const pairs = Object.entries(value).map(([name, text]): [string, string] => {
    if (typeof text !== 'string')
      throw invalid(pointer, `The header '${name.slice(0, 128)}' is not a text.`, hint)
    return [name.toLowerCase(), text]
  })
  checkHeaders(pairs, (detail, why) => invalid(pointer, detail, why))
  return pairs
}

function optionalText(record: JsonObject, field: string, pointer: string): string | undefined {
  const value = record[field]
  if (value === undefined || typeof value === 'string') return value
  throw invalid(`${pointer}/${field}`, `'${field}' is not a text.`, `Write it as {"${field}":"…"}.`)
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** All names that are used as keys here are checked against a fixed list first, `__proto__` included. */
function checkFields(value: JsonObject, known: readonly string[], pointer: string): void {
  for (const name of Object.keys(value)) {
    if (known.includes(name)) continue
    const detail = `There is no field '${name.slice(0, 128)}' here.`
    throw new SynodError('unknown-field', detail, {
      hint: meantOrAll(name.slice(0, 128), known),
      facts: { errors: [{ pointer: `${pointer}/${name.slice(0, 128)}`, code: 'unknown-field', detail }] },
    })
  }
}

function invalid(pointer: string, detail: string, hint: string): SynodError {
  return new SynodError('invalid-field', detail, {
    hint,
    facts: { errors: [{ pointer, code: 'invalid-field', detail }] },
  })
}
