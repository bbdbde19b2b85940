import type { CommittedBatch, StoredRecord } from '../../types/record.ts'

/** The furthest a Date reaches to either side, so that no stored timestamp can stop a stream. */
const DATE_MS_MAX = 8_640_000_000_000_000

/**
 * A record as readers get it, as one line of JSON without the line's end: topic, partition, offset, timestamp, key,
 * value or text or base64, contentType, headers. What is not there is left out; a tombstone has none of the three values.
 * A JSON value stands as it was sent, byte for byte, but line breaks between its tokens are shown as spaces.
 */
export function recordJson(topicName: string, partition: number, record: StoredRecord): string {
  return lineOf(placeOf(topicName, partition), record)
}

/** One line a record of the batch, in offset order. The topic and partition are those that the batch belongs to. */
export function batchLines(topicName: string, partition: number, batch: CommittedBatch): readonly string[] {
  const place = placeOf(topicName, partition)
  return batch.records.map((record) => lineOf(place, record))
}

/** The same with the form and size of each value instead of the value, for those whose values follow by themselves. */
export function batchHeads(topicName: string, partition: number, batch: CommittedBatch): readonly string[] {
  const place = placeOf(topicName, partition)
  return batch.records.map((record) => lineOf(place, record, sizeMembers(record)))
}

/** A view on the same bytes with Buffer's methods. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function placeOf(topicName: string, partition: number): string {
  return `{"topic":${JSON.stringify(topicName)},"partition":${partition},"offset":`
}

function lineOf(place: string, record: StoredRecord, value = valueMember(record)): string {
  let line = `${place}${record.offset},"timestamp":"${timeText(record.timestampMs)}"`
  if (record.key !== undefined) line += `,"key":${JSON.stringify(record.key)}`
  line += value
  if (record.contentType !== undefined) line += `,"contentType":${JSON.stringify(record.contentType)}`
  if (record.headers.length > 0) line += `,"headers":${headersText(record.headers)}`
  return `${line}}`
}

function valueMember(record: StoredRecord): string {
  const value = asBuffer(record.value)
  switch (record.form) {
    case 'json':
      return `,"value":${onOneLine(value.toString('utf8'))}`
    case 'text':
      return `,"text":${JSON.stringify(value.toString('utf8'))}`
    case 'bytes':
      return `,"base64":"${value.toString('base64')}"`
    case 'tombstone':
      return ''
  }
}

function sizeMembers({ form, value }: StoredRecord): string {
  return form === 'tombstone' ? '' : `,"form":"${form}","size":${value.byteLength}`
}

/** JSON forbids raw line breaks inside strings, so each one here stands between two tokens. */
function onOneLine(source: string): string {
  return source.includes('\n') || source.includes('\r') ? source.replaceAll(/[\r\n]/g, ' ') : source
}

/** Of many records in a row the time is the same millisecond. */
let newest = { ms: 0, text: '1970-01-01T00:00:00.000Z' }

/** A record's time in RFC 3339. */
export function timeText(timestampMs: number): string {
  if (newest.ms !== timestampMs) {
    const text = new Date(Math.max(-DATE_MS_MAX, Math.min(DATE_MS_MAX, timestampMs))).toISOString()
    newest = { ms: timestampMs, text }
  }
  return newest.text
}

/** A name that stands more than once is joined with commas, as HTTP does it: JSON objects name a member once. */
function headersText(headers: StoredRecord['headers']): string {
  const joined = new Map<string, string>()
  for (const [name, value] of headers) {
    const before = joined.get(name)
    joined.set(name, before === undefined ? value : `${before}, ${value}`)
  }
  const members = [...joined].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return `{${members.join(',')}}`
}
