import { editDistance } from '../../types/edit-distance.ts'

const DISTANCE_MAX = 2

/** The known word that is nearest to the given one, if one is near enough to be meant. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = DISTANCE_MAX + 1
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > DISTANCE_MAX) continue
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance >= bestDistance || distance >= candidate.length) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** 'Did you mean …?' when a known word is near, else the list of what there is. */
export function meantOrAll(word: string, known: readonly string[]): string {
  const near = nearestWord(word, known)
  if (near !== undefined) return `Did you mean '${near}'?`
  return known.length === 0 ? 'There is none here: leave it out.' : `Known here: ${known.join(', ')}.`
}
