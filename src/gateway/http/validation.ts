import type { z } from '@hono/zod-openapi'

import { SynodError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { TOPIC_FIELDS } from './schemas.ts'
import { meantOrAll, nearestWord } from './suggest.ts'

interface Fault {
  readonly pointer: string
  readonly code: ErrorCode
  readonly detail: string
}

/** Of the bodies that ask for a change; each has one. */
const CHANGE_FIELDS = ['beforeOffset', 'broker', 'brokers']
/** Settings that are of the right type and out of bounds do not fit; anything else is not understood. */
const BOUNDS = new Set(['too_small', 'too_big'])
/** What is wrong with the form comes before what is wrong with a value. */
const ORDER: readonly ErrorCode[] = ['unknown-field', 'invalid-field', 'invalid-config']

/** What zod found, as one error: the first fault gives the code and the words, `errors` lists all. */
export function validationError(target: string, error: z.ZodError, isTopicBody: boolean): SynodError {
  const faults = error.issues.flatMap((issue) => faultsOf(target, issue, isTopicBody))
  const [first] = [...faults].sort((left, right) => ORDER.indexOf(left.code) - ORDER.indexOf(right.code))
  if (first === undefined) return new SynodError('malformed-request', 'The request is not understood.')
  return new SynodError(first.code, first.detail, {
    hint: hintOf(first, isTopicBody),
    ...(target === 'json' ? { facts: { errors: faults } } : {}),
  })
}

function faultsOf(target: string, issue: z.core.$ZodIssue, isTopicBody: boolean): Fault[] {
  const path = issue.path.map(String)
  if (target !== 'json') {
    const name = path.join('.')
    return [
      {
        pointer: '',
        code: 'invalid-parameter',
        detail: `'${name}' has a value that does not fit: ${issue.message}.`,
      },
    ]
  }
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => {
      const shown = key.slice(0, 128)
      return {
        pointer: pointer([...path, shown]),
        code: 'unknown-field',
        detail: `There is no field '${shown}' here.`,
      }
    })
  const code = isTopicBody && BOUNDS.has(issue.code) ? 'invalid-config' : 'invalid-field'
  const place = path.length === 0 ? 'The body' : `'${path.join('.')}'`
  return [{ pointer: pointer(path), code, detail: `${place} does not fit: ${issue.message}.` }]
}

function hintOf(fault: Fault, isTopicBody: boolean): string {
  if (fault.code === 'unknown-field') {
    const field = fault.pointer.split('/').at(-1) ?? ''
    if (isTopicBody) return meantOrAll(field, TOPIC_FIELDS)
    const near = nearestWord(field, CHANGE_FIELDS)
    return near === undefined ? 'The fields of each body are in /openapi.yaml.' : `Did you mean '${near}'?`
  }
  return 'The bounds of each value are in /openapi.yaml.'
}

function pointer(path: readonly string[]): string {
  return path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
}
