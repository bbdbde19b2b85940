/**
 * `.ci/run` tests on two versions of Node. FEW_SEEDS is set for the second: a seed is the same run on both, and a simulator
 * is judged once.
 */
const isSecondRun = process.env['FEW_SEEDS'] !== undefined

/** How many seeds a test runs: all of them, or a tenth in the second run. */
export function seedCount(usual: number): number {
  return isSecondRun ? Math.ceil(usual / 10) : usual
}

/** Why a test of the simulator itself is left out in the second run. */
export const SKIPPED_IN_SECOND_RUN = isSecondRun ? 'ran on the other version of Node' : false
