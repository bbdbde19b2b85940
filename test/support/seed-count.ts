/**
 * How many seeds a test runs: all of them, or a tenth where FEW_SEEDS is set, because they ran elsewhere (`.ci/run` tests
 * on two versions of Node, and a seed is the same run on both).
 */
export function seedCount(usual: number): number {
  return process.env['FEW_SEEDS'] === undefined ? usual : Math.ceil(usual / 10)
}
