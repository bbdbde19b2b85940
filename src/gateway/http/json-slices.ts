import { isUtf8 } from 'node:buffer'

import { SynodError } from '../../errors.ts'
import { invariant } from '../../types/invariant.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const OPEN_BRACKET = 0x5b
const CLOSE_BRACKET = 0x5d

export const JSON_DEPTH_MAX = 32

/**
 * Parses a JSON body. JSON.parse alone says what is valid; the functions below only find where things stand in a
 * source that it accepted, so that a value can be kept byte for byte.
 * Errors: 'malformed-json', also for text that is not UTF-8 or nests deeper than JSON_DEPTH_MAX.
 */
export function parseJson(source: Buffer): unknown {
  if (!isUtf8(source)) throw malformed('The body is not valid UTF-8.')
  if (depthOf(source) > JSON_DEPTH_MAX)
    throw malformed(`The body nests deeper than ${JSON_DEPTH_MAX} levels.`)
  try {
    return JSON.parse(source.toString('utf8'))
  } catch (error) {
    throw malformed(
      `The body is not valid JSON: ${error instanceof Error ? error.message : 'it does not parse'}.`,
    )
  }
}

/** The source of each member's value, by name. Of a name given twice the last one counts, as JSON.parse has it. */
export function memberSlices(source: Buffer): Map<string, Buffer> {
  const members = new Map<string, Buffer>()
  let position = skipBlank(source, 0)
  invariant(source[position] === OPEN_BRACE, 'Members are asked of an object.')
  position = skipBlank(source, position + 1)
  while (source[position] !== CLOSE_BRACE) {
    const nameEnd = skipString(source, position)
    const name: unknown = JSON.parse(source.toString('utf8', position, nameEnd))
    invariant(typeof name === 'string', 'A member has a name.')
    const start = skipBlank(source, skipBlank(source, nameEnd) + 1)
    const end = skipValue(source, start)
    members.set(name, source.subarray(start, end))
    position = skipBlank(source, end)
    if (source[position] === COMMA) position = skipBlank(source, position + 1)
  }
  return members
}

/** The source of each element of an array. */
export function elementSlices(source: Buffer): Buffer[] {
  const elements: Buffer[] = []
  let position = skipBlank(source, 0)
  invariant(source[position] === OPEN_BRACKET, 'Elements are asked of an array.')
  position = skipBlank(source, position + 1)
  while (source[position] !== CLOSE_BRACKET) {
    const end = skipValue(source, position)
    elements.push(source.subarray(position, end))
    position = skipBlank(source, end)
    if (source[position] === COMMA) position = skipBlank(source, position + 1)
  }
  return elements
}

function skipBlank(source: Buffer, from: number): number {
  let position = from
  for (;;) {
    const byte = source[position]
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return position
    position++
  }
}

/** `from` stands on the opening quote; returns the position after the closing one. */
function skipString(source: Buffer, from: number): number {
  let position = from
  for (;;) {
    position = source.indexOf(QUOTE, position + 1)
    if (position === -1) return source.length
    let backslashes = 0
    while (source[position - 1 - backslashes] === BACKSLASH) backslashes++
    if (backslashes % 2 === 0) return position + 1
  }
}

function skipValue(source: Buffer, from: number): number {
  const first = source[from]
  if (first === QUOTE) return skipString(source, from)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return skipContainer(source, from)
  let position = from
  while (position < source.length && !endsScalar(source[position])) position++
  return position
}

function skipContainer(source: Buffer, from: number): number {
  let depth = 0
  let position = from
  while (position < source.length) {
    const byte = source[position]
    if (byte === QUOTE) {
      position = skipString(source, position)
      continue
    }
    position++
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth++
    else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return position
  }
  return position
}

function endsScalar(byte: number | undefined): boolean {
  return (
    byte === COMMA ||
    byte === CLOSE_BRACE ||
    byte === CLOSE_BRACKET ||
    byte === 0x20 ||
    byte === 0x0a ||
    byte === 0x0d ||
    byte === 0x09
  )
}

/** Looked at before JSON.parse, so that four million brackets do not become four million arrays first. */
function depthOf(source: Buffer): number {
  let depth = 0
  let deepest = 0
  let position = 0
  while (position < source.length) {
    const byte = source[position]
    if (byte === QUOTE) {
      position = skipString(source, position)
      continue
    }
    position++
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) deepest = Math.max(deepest, ++depth)
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) depth--
  }
  return deepest
}

function malformed(detail: string): SynodError {
  return new SynodError('malformed-json', detail, {
    hint: 'Check the body with `jq . < file` before sending it.',
  })
}
