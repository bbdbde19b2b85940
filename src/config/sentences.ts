import type { z } from 'zod'
import { editDistance } from '../types/edit-distance.ts'
import { namesAt } from './schema.ts'

type Issue = z.core.$ZodIssue

/** What is wrong with one setting, in a sentence or, for several unknown names, one each. Values of secrets are left out. */
export function sentencesOfIssue(issue: Issue, settings: unknown): string[] {
  const path = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = namesAt(path)
    return issue.keys.map(
      (name) =>
        `The setting ${path === '' ? name : `${path}.${name}`} is not known${didYouMean(name, known)}.`,
    )
  }
  const value = issue.path.reduce<unknown>(
    (at, name) => (at as Record<PropertyKey, unknown> | undefined)?.[name],
    settings,
  )
  if (value === undefined) return [`The setting ${path} is missing.`]
  const isSecret = path.toLowerCase().includes('secret')
  const start = isSecret ? `The setting ${path}` : `The setting ${path} is ${JSON.stringify(value)} but`
  return [`${start} must be ${expectation(issue)}.`]
}

/** ` (did you mean x?)` when a known name is near, else nothing. */
export function didYouMean(name: string, known: readonly string[]): string {
  const limit = Math.max(2, Math.floor(name.length / 3))
  const near = known.map((each) => ({
    each,
    distance: editDistance(name.toLowerCase(), each.toLowerCase()),
  }))
  const best = near.filter(({ distance }) => distance <= limit).toSorted((a, b) => a.distance - b.distance)[0]
  return best === undefined ? '' : ` (did you mean ${best.each}?)`
}

function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : `of type ${issue.expected}`
    case 'too_small':
      return issue.origin === 'string' ? 'not empty' : `at least ${issue.minimum}`
    case 'too_big':
      return issue.origin === 'array' ? `a list of at most ${issue.maximum}` : `at most ${issue.maximum}`
    case 'invalid_value':
      return `one of ${issue.values.join(', ')}`
    case 'invalid_format':
      return `a valid ${issue.format}`
    default:
      return `different: ${issue.message}`
  }
}
