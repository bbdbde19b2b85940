/** Letters that may be added, left out or changed in a name of this length before it is another word. */
function tolerance(length: number): number {
  if (length <= 3) return 1
  return length <= 8 ? 2 : 3
}

/** Edits between two words, or `limit + 1` as soon as there are more. Two letters swapped count as one edit. */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    let least = row
    for (let column = 1; column <= b.length; column++) {
      const isSame = a[row - 1] === b[column - 1]
      let edits = Math.min(
        above[column]! + 1,
        current[column - 1]! + 1,
        above[column - 1]! + (isSame ? 0 : 1),
      )
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (isSwapped) edits = Math.min(edits, before[column - 2]! + 1)
      current.push(edits)
      least = Math.min(least, edits)
    }
    if (least > limit) return limit + 1
    before = above
    above = current
  }
  return Math.min(above[b.length]!, limit + 1)
}

/** The candidate that `name` was probably meant to be; undefined when none is near. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  let limit = tolerance(name.length)
  let nearest: string | undefined
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), limit)
    if (distance > limit || (distance === limit && nearest !== undefined)) continue
    nearest = candidate
    limit = distance
  }
  return nearest
}
