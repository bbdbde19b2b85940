import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SKIPPED_IN_SECOND_RUN } from '../support/seed-count.ts'
import type { BrokersMutant } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { runBrokers } from './world.ts'

/** How many seeds are searched; far beyond what each takes now, so that other seeds do no harm. */
const SEEDS_MAX = 500

async function firstCaught(
  mutant: BrokersMutant,
): Promise<{ readonly seed: number; readonly rule: string } | undefined> {
  const from = mutant.searchedFrom ?? 1
  for (let seed = from; seed < from + SEEDS_MAX; seed++) {
    const { violation } = await runBrokers(seed, { mutant })
    if (violation !== undefined) return { seed, rule: violation.rule }
  }
  return undefined
}

for (const mutant of MUTANTS) {
  test(
    `whole brokers catch ${mutant.name}: ${mutant.about}`,
    { skip: SKIPPED_IN_SECOND_RUN, timeout: 300_000 },
    async (t) => {
      const caught = await firstCaught(mutant)
      assert.ok(caught, `None of ${SEEDS_MAX} seeds catches ${mutant.name}.`)
      t.diagnostic(`seed ${caught.seed}, by the rule '${caught.rule}'`)
    },
  )
}

test('whole brokers find nothing in the same seeds when the mutants are gone', async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const { violation } = await runBrokers(seed)
    assert.equal(violation?.message, undefined)
  }
})
