import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { countOf, formatAtlas } from './atlas.ts'
import { runFlips } from './run-flips.ts'

const USAGE = 'npm run flips -- [COUNT] [SEED] [VICTIMS: 1 of three brokers or 2 of five]'

/** One line a flipped bit, then a table by kind of file. The folders stay when something is wrong. */
async function main(): Promise<number> {
  const [count = 100, seed = Math.floor(Math.random() * 2 ** 31), victims = 1] = process.argv
    .slice(2)
    .map(Number)
  if (!(count >= 1) || !Number.isSafeInteger(seed) || (victims !== 1 && victims !== 2)) {
    console.error(USAGE)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'synod-flips-'))
  console.log(`seed ${seed}, ${count} bits in ${victims} of ${victims * 2 + 1} brokers, in ${folder}`)
  const flips = await runFlips({ folder, count, seed, victims, say: (line) => console.log(line) })
  console.log(formatAtlas(flips))
  if (countOf(flips, 'wrong') > 0) return 1
  rmSync(folder, { recursive: true })
  return 0
}

process.exitCode = await main()
