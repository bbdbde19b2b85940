import { CommandError, EXIT } from '../exit-codes.ts'
import { callJson } from '../http.ts'
import { tryAgain } from '../try-again.ts'

/** What is still to be read of one partition. */
export interface ExportRange {
  readonly partition: number
  readonly nextOffset: number
  /** The first offset that is not exported. */
  readonly untilOffset: number
}

export interface RangeWish {
  readonly url: string
  readonly topicPath: string
  readonly partitions: readonly number[]
  readonly from: string
  readonly until: string
  /** Whether the ends may be older than what others were told, which needs no majority. */
  readonly isLocal: boolean
  readonly retrySeconds: number
}

/** Both ends as offsets, fixed now: what is appended from here on is not part of the export. */
export async function exportRanges(wish: RangeWish): Promise<readonly ExportRange[]> {
  const ranges: ExportRange[] = []
  for (const partition of wish.partitions) {
    const nextOffset = await offsetOf(wish.from, 'earliest', partition, wish)
    const untilOffset = await offsetOf(wish.until, 'latest', partition, wish)
    ranges.push({ partition, nextOffset, untilOffset: Math.max(nextOffset, untilOffset) })
  }
  return ranges
}

/** `0@17,1@12` names offsets of some partitions; the others are meant from the earliest record, or to the latest. */
async function offsetOf(
  word: string,
  others: 'earliest' | 'latest',
  partition: number,
  wish: RangeWish,
): Promise<number> {
  const places = placesOf(word)
  if (places === undefined) return resolve(word, partition, wish)
  return places.get(partition) ?? resolve(others, partition, wish)
}

function placesOf(word: string): ReadonlyMap<number, number> | undefined {
  if (!word.includes('@')) return undefined
  const pairs = word.split(',').map((place): [number, number] => {
    const match = /^(\d{1,5})@(\d{1,15})$/.exec(place)
    if (match === null)
      throw new CommandError(EXIT.usage, `'${place}' is not partition@offset, for example 0@17,1@12.`)
    return [Number(match[1]), Number(match[2])]
  })
  return new Map(pairs)
}

async function resolve(at: string, partition: number, wish: RangeWish): Promise<number> {
  const query = new URLSearchParams({ at, linearizable: String(!wish.isLocal) })
  const path = `${wish.topicPath}/partitions/${partition}/offsets?${query.toString()}`
  const { offset } = await tryAgain(wish.retrySeconds, () => callJson<{ offset: number }>(wish.url, path))
  return offset
}
