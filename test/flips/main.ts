import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runFlips } from './run-flips.ts'

const USAGE = 'npm run flips -- [COUNT] [SEED]'

/** One line a flipped bit, then how often each outcome was met. The data stay when something is wrong. */
async function main(): Promise<number> {
  const [count = 100, seed = Math.floor(Math.random() * 2 ** 31)] = process.argv.slice(2).map(Number)
  if (!(count >= 1) || !Number.isSafeInteger(seed)) {
    console.error(USAGE)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'synod-flips-'))
  console.log(`seed ${seed}, ${count} bits, in ${folder}`)
  const { counts } = await runFlips({ folder, count, seed, say: (line) => console.log(line) })
  for (const [outcome, times] of counts) console.log(`${times} ${outcome}`)
  rmSync(folder, { recursive: true })
  return 0
}

process.exitCode = await main()
