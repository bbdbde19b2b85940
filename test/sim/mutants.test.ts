import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SKIPPED_IN_SECOND_RUN } from '../support/seed-count.ts'
import { MUTANTS, NO_MUTANT, type Mutant } from './mutants.ts'
import { runSeed } from './world.ts'

/** Where the search begins and how far it may go; far beyond what each takes now, so that other seeds do no harm. */
const SEEDS_MAX = 2_000

async function firstCaught(
  mutant: Mutant,
): Promise<{ readonly seed: number; readonly rule: string } | undefined> {
  for (let seed = 1; seed <= SEEDS_MAX; seed++) {
    const { violation } = await runSeed(seed, { mutant })
    if (violation !== undefined) return { seed, rule: violation.rule }
  }
  return undefined
}

for (const mutant of MUTANTS) {
  test(`catches ${mutant.name}: ${mutant.about}`, { skip: SKIPPED_IN_SECOND_RUN }, async (t) => {
    const caught = await firstCaught(mutant)
    assert.ok(caught, `No seed up to ${SEEDS_MAX} catches ${mutant.name}.`)
    t.diagnostic(`seed ${caught.seed}, by the rule '${caught.rule}'`)
  })
}

test('replicas agree after a quiet end though every Learn before it is lost, because brokers compare what they hold', async () => {
  const mutant: Mutant = {
    ...NO_MUTANT,
    losesMessage: (message) => message.kind === 'learn',
    swarm: { digestEveryMs: 1_000, quietMs: 500 },
  }
  for (let seed = 1; seed <= 100; seed++) {
    const { violation } = await runSeed(seed, { mutant })
    assert.equal(violation?.message, undefined, `seed ${seed}`)
  }
})

test('finds nothing in the same seeds without a mutant', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { violation } = await runSeed(seed)
    assert.equal(violation?.message, undefined)
  }
})
