import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tempDir } from '../support/temp-dir.ts'
import { runFlips } from './run-flips.ts'

const COUNT = 25
const SEED = 11

test(
  `serves what was acknowledged after each of ${COUNT} flipped bits in the files of one broker of three, or says that it cannot`,
  { timeout: 600_000 },
  async (t) => {
    const { counts, lines } = await runFlips({ folder: tempDir(t), count: COUNT, seed: SEED })
    for (const line of lines) t.diagnostic(line)
    assert.equal(lines.length, COUNT)
    assert.ok((counts.get('repaired') ?? 0) > 0, 'Some bit was in an entry, and that was mended.')
  },
)
