import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'
import type { Topic } from '../../types/topic.ts'
import type { StartPosition } from '../ports.ts'
import { decodeCursor, invalidCursor } from './cursor.ts'

/** Where reading starts, for each partition that is read. */
export type StartPlan = ReadonlyMap<number, StartPosition>

export interface FromContext {
  readonly topic: Pick<Topic, 'id' | 'name'>
  /** The partitions that are read, not necessarily all of the topic. */
  readonly partitions: readonly number[]
  /** What no `from` at all means: pages begin at the earliest record, streams at the latest. */
  readonly fallback: 'earliest' | 'latest'
}

const FORMS_HINT =
  'from is one of: an offset like 17 (one partition only, add &partition=0), 0@17,1@12 (partition@next offset, ' +
  'the others from the earliest), earliest, latest, -10 (the last 10 of each partition), ' +
  'time:2026-01-31T12:00:00Z (the first appended at or after), cursor:… (where another read ended). Try ?from=earliest.'

export const CURSOR_PREFIX = 'cursor:'
const OFFSET = /^(?:0|[1-9][0-9]{0,15})$/
const TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+ -]\d{2}:\d{2})$/

/**
 * Reads the `from` of a query. Throws 'invalid-offset' with a hint that lists the forms; nothing is guessed, because a
 * reader that starts at another place than it named would skip or repeat records in silence. Errors of cursors:
 * 'invalid-cursor', and 'topic-deleted' for one of another topic.
 */
export function parseFrom(text: string | undefined, context: FromContext): StartPlan {
  invariant(context.partitions.length > 0, 'A topic has at least one partition.')
  const word = text ?? context.fallback
  if (word === 'earliest' || word === 'latest') return everywhere(context, { kind: word })
  if (word.startsWith('time:')) return everywhere(context, { kind: 'time', timeMs: parseTime(word) })
  if (word.startsWith(CURSOR_PREFIX)) return cursorPlaces(word.slice(CURSOR_PREFIX.length), context)
  if (word.startsWith('-')) return everywhere(context, { kind: 'last', count: parseCount(word) })
  if (word.includes('@')) return parsePlaces(word, context)
  return parseSingleOffset(word, context)
}

function everywhere(context: FromContext, position: StartPosition): StartPlan {
  return new Map(context.partitions.map((partition) => [partition, position]))
}

function parseSingleOffset(word: string, context: FromContext): StartPlan {
  const offset = wholeNumber(word)
  if (offset === undefined) throw invalid(`'${shown(word)}' is no start position.`)
  if (context.partitions.length > 1) {
    throw invalid(
      `The offset ${offset} does not say which of ${context.partitions.length} partitions is meant.`,
    )
  }
  return everywhere(context, { kind: 'offset', offset })
}

function parsePlaces(word: string, context: FromContext): StartPlan {
  const plan = new Map<number, StartPosition>(
    context.partitions.map((partition) => [partition, { kind: 'earliest' }]),
  )
  const named = new Set<number>()
  for (const place of word.split(',')) {
    const [left = '', right = '', ...more] = place.split('@')
    const partition = wholeNumber(left)
    const offset = wholeNumber(right)
    if (partition === undefined || offset === undefined || more.length > 0) {
      throw invalid(`'${shown(place)}' is not partition@offset.`)
    }
    if (!plan.has(partition))
      throw invalid(`Partition ${partition} of '${shown(place)}' is not among those read.`)
    if (named.has(partition)) throw invalid(`Partition ${partition} is named twice.`)
    named.add(partition)
    plan.set(partition, { kind: 'offset', offset })
  }
  return plan
}

/**
 * A cursor of the whole topic has a place for any reader of it: what was added since it was made is new as a whole. One of
 * single partitions has none for the others, and any that were chosen here would repeat records or leave some out.
 */
function cursorPlaces(text: string, { topic, partitions }: FromContext): StartPlan {
  const cursor = decodeCursor(text)
  if (cursor.topicId !== topic.id)
    throw new SynodError('topic-deleted', `The cursor is of another topic than the '${topic.name}' of now.`, {
      hint: 'Its topic was deleted, or has another name. Read this one with from=earliest.',
    })
  return new Map(
    partitions.map((partition) => {
      const offset = cursor.places.get(partition)
      if (offset === undefined && !cursor.isWholeTopic)
        throw invalidCursor(`The cursor has no place in partition ${partition}.`)
      return [partition, { kind: 'offset', offset: offset ?? 0 }]
    }),
  )
}

function parseCount(word: string): number {
  const count = wholeNumber(word.slice(1))
  if (count === undefined || count === 0) throw invalid(`'${shown(word)}' is not -N with N from 1.`)
  return count
}

/** Epoch milliseconds, rounded up: records carry whole milliseconds, and 'at or after' must not let an earlier one in. */
function parseTime(word: string): number {
  const match = TIME.exec(word.slice('time:'.length))
  const timeMs = match === null ? Number.NaN : fromParts(match)
  if (Number.isNaN(timeMs)) throw invalid(`'${shown(word)}' is not time: and an RFC 3339 time.`)
  return timeMs
}

function fromParts(match: RegExpExecArray): number {
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, 0)
  // Date wraps the 30th of February into March; a day that does not exist is refused.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return Number.NaN
  const zoneMinutes = zoneOffsetMinutes(match[8] ?? 'Z')
  const fraction = (match[7] ?? '').padEnd(9, '0')
  const roundUp = Number(fraction.slice(3)) > 0 ? 1 : 0
  return date.getTime() - zoneMinutes * 60_000 + Number(fraction.slice(0, 3)) + roundUp
}

/** A '+' that nobody percent-encoded arrives as a space. */
function zoneOffsetMinutes(zone: string): number {
  if (zone === 'Z' || zone === 'z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = Number(zone.slice(4, 6))
  if (hours > 23 || minutes > 59) return Number.NaN
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes)
}

function wholeNumber(text: string): number | undefined {
  const value = OFFSET.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(value) ? value : undefined
}

function shown(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

function invalid(detail: string): SynodError {
  return new SynodError('invalid-offset', detail, { hint: FORMS_HINT })
}
