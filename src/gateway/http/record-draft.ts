import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { RecordDraft, RecordForm } from '../../types/record.ts'
import { parseTimestamp } from './timestamp.ts'

export const KEY_BYTES_MAX = 4_096
export const RECORD_HEADERS_MAX = 64
export const RECORD_HEADERS_BYTES_MAX = 8_192

const HEADER_PREFIX = 'record-header-'
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,128}$/
/** Control characters cannot be shown in an HTTP header again; a tab can. */
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/
const ASCII = /^[\t\u0020-\u007e]*$/
const LONE_SURROGATE = /\p{Surrogate}/u
/** What curl -d says when nobody named a type: it says nothing about the value. */
const CURL_DEFAULT_TYPE = 'application/x-www-form-urlencoded'

export type HeaderPairs = readonly (readonly [name: string, value: string])[]

/** The type that a client really named, or undefined. */
export function namedContentType(contentType: string | undefined): string | undefined {
  if (contentType === undefined || contentType === '') return undefined
  return contentType.trim().toLowerCase() === CURL_DEFAULT_TYPE ? undefined : contentType
}

export function isJsonType(contentType: string | undefined): boolean {
  if (contentType === undefined) return false
  const essence = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
  return essence === 'application/json' || (essence.endsWith('+json') && essence.includes('/'))
}

/** What the value is: JSON only if it was called so and is so, text if it is UTF-8, else bytes. */
export function formOf(value: Buffer, contentType: string | undefined): RecordForm {
  if (!isUtf8(value)) return 'bytes'
  return isJsonType(contentType) && parses(value) ? 'json' : 'text'
}

function parses(value: Buffer): boolean {
  try {
    JSON.parse(value.toString('utf8'))
    return true
  } catch {
    return false
  }
}

/** The record of a request whose body is the value. Errors: 'invalid-parameter'. */
export function draftFromRequest(
  request: IncomingMessage,
  value: Buffer,
  key: string | undefined,
): RecordDraft {
  const { headers } = request
  const contentType = namedContentType(headers['content-type'])
  const timestamp = headers['record-timestamp']
  const timestampMs = typeof timestamp === 'string' ? parseTimestamp(timestamp) : undefined
  if (timestamp !== undefined && timestampMs === undefined)
    throw invalid(
      `Record-Timestamp '${String(timestamp)}' is no RFC 3339 time.`,
      'Write it as 2026-01-31T12:00:00.000Z.',
    )
  if (headers['record-key'] !== undefined)
    throw invalid('A record gets its key from the address, not from a header.', 'Name it: …/records?key=ada.')
  checkKey(key, invalid)
  return {
    form: formOf(value, contentType),
    key,
    value,
    contentType: contentType === undefined ? undefined : fromWire(contentType),
    timestampMs,
    headers: recordHeaders(request.rawHeaders),
  }
}

function recordHeaders(rawHeaders: readonly string[]): HeaderPairs {
  const pairs: [string, string][] = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const rawName = rawHeaders[index] ?? ''
    if (rawName.length <= HEADER_PREFIX.length) continue
    const name = rawName.toLowerCase()
    if (name.startsWith(HEADER_PREFIX))
      pairs.push([name.slice(HEADER_PREFIX.length), fromWire(rawHeaders[index + 1] ?? '')])
  }
  checkHeaders(pairs, invalid)
  return pairs
}

/** Node reads header bytes as Latin-1; clients of this century send UTF-8. */
function fromWire(text: string): string {
  if (ASCII.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}

/** How a text leaves in a header: as UTF-8. */
export function toWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

export type Refuse = (detail: string, hint: string) => SynodError

/** A lone surrogate has no UTF-8: storing something in its place would change the text in silence. */
export function checkUnicode(text: string, refuse: Refuse): void {
  if (LONE_SURROGATE.test(text))
    throw refuse('The text is not valid Unicode.', 'Remove the lone surrogate, or send the bytes as base64.')
}

/** Keys are chosen and shown as UTF-8, so they must survive it. */
export function checkKey(key: string | undefined, refuse: Refuse): void {
  if (key === undefined) return
  if (LONE_SURROGATE.test(key))
    throw refuse('The key is not valid Unicode.', 'Remove the lone surrogate from the key.')
  const byteCount = Buffer.byteLength(key)
  if (byteCount > KEY_BYTES_MAX)
    throw refuse(
      `The key has ${byteCount} bytes.`,
      `A key has at most ${KEY_BYTES_MAX} bytes: put the rest into the value.`,
    )
}

/** Names are in lower case already. */
export function checkHeaders(pairs: HeaderPairs, refuse: Refuse): void {
  if (pairs.length > RECORD_HEADERS_MAX)
    throw refuse(
      `The record has ${pairs.length} headers.`,
      `A record has at most ${RECORD_HEADERS_MAX} headers.`,
    )
  let byteCount = 0
  for (const [name, value] of pairs) {
    if (!HEADER_NAME.test(name))
      throw refuse(
        `'${name.slice(0, 130)}' cannot be the name of a header.`,
        'Use letters, digits and dashes, at most 128.',
      )
    if (CONTROL.test(value) || LONE_SURROGATE.test(value))
      throw refuse(
        `The header '${name}' has a control character in its value.`,
        'Put such text into the value.',
      )
    byteCount += name.length + Buffer.byteLength(value)
  }
  if (byteCount > RECORD_HEADERS_BYTES_MAX)
    throw refuse(
      `The record's headers have ${byteCount} bytes.`,
      `They have at most ${RECORD_HEADERS_BYTES_MAX} together.`,
    )
}

/** What counts against `recordBytesMax`: key, value and headers. */
export function draftBytes(draft: RecordDraft): number {
  let byteCount = draft.value.byteLength + (draft.key === undefined ? 0 : Buffer.byteLength(draft.key))
  for (const [name, value] of draft.headers) byteCount += name.length + Buffer.byteLength(value)
  return byteCount
}

function invalid(detail: string, hint: string): SynodError {
  return new SynodError('invalid-parameter', detail, { hint })
}
