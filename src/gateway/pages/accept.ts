import { SynodError } from '../../errors.ts'

/**
 * Which of the offered media types the client prefers by its Accept header (RFC 9110, 12.5.1); of equals the first offered.
 * Errors: 'not-acceptable'.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  offered: readonly Type[],
): Type {
  const ranges = (accept ?? '*/*').split(',').map(rangeOf)
  let best: Type | undefined
  let bestWeight = 0
  for (const type of offered) {
    const weight = weightOf(type, ranges)
    if (weight <= bestWeight) continue
    best = type
    bestWeight = weight
  }
  if (best !== undefined) return best
  throw new SynodError('not-acceptable', `There is no form '${(accept ?? '').slice(0, 100)}' of this page.`, {
    hint: `It has the forms ${offered.join(', ')}.`,
  })
}

interface Range {
  readonly type: string
  readonly weight: number
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? '1')
  return { type, weight: weight >= 0 && weight <= 1 ? weight : 0 }
}

/** That of the range that says most about the type; 0 when none fits. */
function weightOf(type: string, ranges: readonly Range[]): number {
  const group = `${type.split('/', 1)[0]}/*`
  for (const wanted of [type, group, '*/*']) {
    const range = ranges.find((each) => each.type === wanted)
    if (range !== undefined) return range.weight
  }
  return 0
}
