import { SynodError } from '../../errors.ts'
import { meantOrAll } from './suggest.ts'

export type Query = ReadonlyMap<string, string>

const EMPTY: Query = new Map()

/**
 * Decodes what stands behind the question mark. A parameter that is not known is an error, because a client that
 * misspells one would otherwise get another answer than it asked for; so is one given twice.
 */
export function parseQuery(search: string, known: readonly string[]): Query {
  if (search === '') return EMPTY
  const query = new Map<string, string>()
  for (const part of search.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = decode(equals === -1 ? part : part.slice(0, equals))
    if (!known.includes(name))
      throw new SynodError('unknown-parameter', `There is no parameter '${name}' here.`, {
        hint: meantOrAll(name, known),
      })
    if (query.has(name))
      throw new SynodError('invalid-parameter', `The parameter '${name}' is given twice.`, {
        hint: `Give '${name}' once.`,
      })
    query.set(name, equals === -1 ? '' : decode(part.slice(equals + 1)))
  }
  return query
}

function decode(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new SynodError('invalid-parameter', `'${text}' is not percent-encoded UTF-8.`, {
      hint: 'Write a plain percent sign as %25; curl does it with -G --data-urlencode.',
    })
  }
}

/** A whole number of the query within bounds, or undefined when it is not given. */
export function wholeNumber(
  query: Query,
  name: string,
  bounds: { readonly min: number; readonly max: number },
): number | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (value >= bounds.min && value <= bounds.max) return value
  throw new SynodError('invalid-parameter', `'${text}' does not fit the parameter '${name}'.`, {
    hint: `${name} is a whole number from ${bounds.min} to ${bounds.max}.`,
  })
}

/** A span of time: `20s`, `500ms`, or a plain number of seconds. Milliseconds, or undefined when it is not given. */
export function duration(query: Query, name: string, maxMs: number): number | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  const match = /^(\d{1,9})(ms|s)?$/.exec(text)
  const valueMs = match === null ? Number.NaN : Number(match[1]) * (match[2] === 'ms' ? 1 : 1000)
  if (valueMs <= maxMs) return valueMs
  throw new SynodError('invalid-parameter', `'${text}' does not fit the parameter '${name}'.`, {
    hint: `${name} is a time of at most ${maxMs / 1000}s, as ${name}=20s or ${name}=500ms.`,
  })
}

/** One of a few words, or undefined when it is not given. */
export function choice<Word extends string>(
  query: Query,
  name: string,
  words: readonly Word[],
): Word | undefined {
  const text = query.get(name)
  if (text === undefined) return undefined
  const word = words.find((candidate) => candidate === text)
  if (word !== undefined) return word
  throw new SynodError('invalid-parameter', `'${text}' does not fit the parameter '${name}'.`, {
    hint: `${name} is one of: ${words.join(', ')}.`,
  })
}
