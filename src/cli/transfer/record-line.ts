import { crc32 } from 'node:zlib'
import { CommandError, EXIT } from '../exit-codes.ts'
import { memberSources } from '../json-members.ts'

/** A line of an export, as a request of its own kind takes it. */
export interface ImportedRecord {
  readonly lineNumber: number
  readonly partition: number
  readonly bytes: number
  /** One record of a batch's JSON, or what has to be a request by itself. */
  readonly body: string | SingleRecord
}

/** A batch has no field for a content type: a record that has one is the body of its own request. */
export interface SingleRecord {
  readonly key: string | undefined
  readonly value: string | Uint8Array<ArrayBuffer>
  readonly headers: Readonly<Record<string, string>>
}

export interface Placement {
  readonly partitionCount: number
  /** Whether the partitions that the lines name are left aside. */
  readonly isAnew: boolean
}

/** What a line may hold. `topic` and `offset` say where the record was, and are given anew. */
const FIELDS = [
  'topic',
  'offset',
  'partition',
  'key',
  'value',
  'text',
  'base64',
  'contentType',
  'headers',
  'timestamp',
]
const BATCH_FIELDS = ['key', 'value', 'text', 'base64', 'headers', 'timestamp']

interface Line {
  readonly partition?: unknown
  readonly key?: unknown
  readonly text?: unknown
  readonly base64?: unknown
  readonly contentType?: unknown
  readonly timestamp?: unknown
  readonly headers?: unknown
}

/** Errors: `refused`, with the number of the line. */
export function recordOfLine(line: string, lineNumber: number, placement: Placement): ImportedRecord {
  const parsed = objectOf(line, lineNumber)
  const sources = memberSources(line)
  for (const name of sources.keys())
    if (!FIELDS.includes(name)) throw refused(lineNumber, `has a field '${name.slice(0, 80)}'`, FIELDS_HINT)
  const partition = partitionOf(parsed, lineNumber, placement)
  const common = { lineNumber, partition, bytes: Buffer.byteLength(line) }
  if (parsed.contentType !== undefined) return { ...common, body: singleOf(parsed, sources, lineNumber) }
  const members = BATCH_FIELDS.flatMap((name) => {
    const source = sources.get(name)
    return source === undefined ? [] : [`"${name}":${source}`]
  })
  return { ...common, body: `{${[...members, `"partition":${partition}`].join(',')}}` }
}

const FIELDS_HINT = `A line has some of: ${FIELDS.join(', ')}.`

function objectOf(line: string, lineNumber: number): Line {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch {
    throw refused(lineNumber, 'is not JSON', 'Each line is one record, as synod topic export writes it.')
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    if (!Object.hasOwn(parsed, 'problem')) return parsed
    throw refused(
      lineNumber,
      'is a problem, no record',
      'What was exported there is not whole: export again.',
    )
  }
  throw refused(lineNumber, 'is no object', 'Each line is one record, as synod topic export writes it.')
}

/** Where the line says, else by its key as the cluster does it, else in turns by its number, so that a repeat agrees. */
function partitionOf({ partition, key }: Line, lineNumber: number, placement: Placement): number {
  const { partitionCount, isAnew } = placement
  if (partition !== undefined && !isAnew) {
    if (
      typeof partition === 'number' &&
      Number.isInteger(partition) &&
      partition >= 0 &&
      partition < partitionCount
    )
      return partition
    throw refused(
      lineNumber,
      `names the partition ${JSON.stringify(partition)}, and the topic has ${partitionCount}`,
      'Create the topic with as many partitions, or let --repartition choose them anew.',
    )
  }
  if (typeof key === 'string') return crc32(key) % partitionCount
  return (lineNumber - 1) % partitionCount
}

function singleOf(parsed: Line, sources: ReadonlyMap<string, string>, lineNumber: number): SingleRecord {
  const { contentType, key, text, base64, timestamp } = parsed
  const value =
    sources.get('value') ?? text ?? (typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined)
  if (typeof contentType !== 'string' || !(typeof value === 'string' || value instanceof Buffer))
    throw refused(lineNumber, 'has a contentType, but it or its value is none', FIELDS_HINT)
  const headers: Record<string, string> = { 'content-type': onWire(contentType) }
  if (typeof timestamp === 'string') headers['record-timestamp'] = timestamp
  for (const [name, text] of Object.entries(parsed.headers ?? {}))
    headers[`record-header-${name}`] = onWire(String(text))
  return { key: typeof key === 'string' ? key : undefined, value, headers }
}

/** Headers leave as UTF-8, which `fetch` takes byte by byte. */
function onWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

function refused(lineNumber: number, what: string, hint: string): CommandError {
  return new CommandError(EXIT.refused, `Line ${lineNumber} ${what}.`, { hint })
}
