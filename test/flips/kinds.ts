import { existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../sim/random.ts'

/** Files of a data folder by what they are: each kind is flipped as often as the others, however many bytes it has. */
export interface Kind {
  readonly name: string
  /** Within the data folder. */
  readonly folder: string
  readonly pattern: RegExp
  /** The end of a log that the index has not seen is missed by nobody on its disk: only other brokers remember it. */
  readonly needsStop: boolean
}

function kind(name: string, folder: string, pattern: RegExp, needsStop = false): Kind {
  return { name, folder, pattern, needsStop }
}

/** LOCK is empty, and what LevelDB says in LOG is read by people only. */
export const KINDS: readonly Kind[] = [
  kind('journal/*.ldb', 'journal', /\.ldb$/),
  kind('journal/*.log', 'journal', /\.log$/, true),
  kind('journal/MANIFEST', 'journal', /^MANIFEST-/),
  kind('journal/CURRENT', 'journal', /^CURRENT$/),
  kind('index/*.ldb', 'index', /\.ldb$/),
  kind('index/*.log', 'index', /\.log$/),
  kind('index/MANIFEST', 'index', /^MANIFEST-/),
  kind('index/CURRENT', 'index', /^CURRENT$/),
  kind('store.json', '', /^store\.json$/),
  kind('other *.json', '', /^(clean|seen|outsider|replaces)\.json$/),
]

/** Flips one bit of one file of this kind and says which; undefined when there is none. */
export function flipIn(dataFolder: string, kind: Kind, random: Random): string | undefined {
  const file = pickFile(dataFolder, kind, random)
  if (file === undefined) return undefined
  const path = join(dataFolder, file)
  const bytes = readFileSync(path)
  const at = random.integer(bytes.length)
  const bit = random.integer(8)
  bytes[at] = bytes[at]! ^ (1 << bit)
  writeFileSync(path, bytes)
  return `${file} bit ${bit} of byte ${at} of ${bytes.length}`
}

/** Cuts off the end of one file of this kind and says of which; undefined when there is none. */
export function truncateIn(dataFolder: string, kind: Kind, random: Random): string | undefined {
  const file = pickFile(dataFolder, kind, random)
  if (file === undefined) return undefined
  const path = join(dataFolder, file)
  const { size } = statSync(path)
  const length = random.integer(size)
  truncateSync(path, length)
  return `${file} cut to ${length} of ${size} bytes`
}

function pickFile(dataFolder: string, { folder, pattern }: Kind, random: Random): string | undefined {
  const place = join(dataFolder, folder)
  if (!existsSync(place)) return undefined
  const names = readdirSync(place).filter(
    (name) => pattern.test(name) && statSync(join(place, name)).size > 0,
  )
  return names.length === 0 ? undefined : join(folder, random.pick(names))
}
