import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tempDir } from '../support/temp-dir.ts'
import { countOf, formatAtlas } from './atlas.ts'
import { runFlips } from './run-flips.ts'

const SEED = 11

for (const [victims, count] of [
  [1, 20],
  [2, 10],
] as const) {
  test(
    `serves what was acknowledged after each of ${count} flipped bits in the files of ${victims} of ${victims * 2 + 1} brokers`,
    { timeout: 600_000 },
    async (t) => {
      const flips = await runFlips({ folder: tempDir(t), count, seed: SEED, victims })
      t.diagnostic(formatAtlas(flips))
      const wrong = flips.filter(({ outcome }) => outcome === 'wrong').map(({ what }) => what)
      assert.deepEqual(wrong, [])
      assert.ok(flips.length - countOf(flips, 'harmless') > 0, 'Some bit was noticed.')
    },
  )
}
