import type { TestContext } from 'node:test'

/** What a fuzz target needs of a test: something to clean up after. The long form has its own. */
export type Scope = Pick<TestContext, 'after'>

export interface FuzzRun {
  readonly cases: number
  /** The same seed gives the same cases; a failure's report names the case again. */
  readonly seed: number
  readonly scope: Scope
}

/** One thing that takes bytes or messages from outside, and the sentence that must hold whatever it is given. */
export interface FuzzTarget {
  readonly name: string
  /** How many cases a bounded run takes, so that all targets together need some seconds. */
  readonly boundedCases: number
  /** Rejects with the first case that breaks the sentence. */
  run(options: FuzzRun): Promise<void>
}

/** A helper of tests made for `TestContext` needs no more of it than `Scope`. */
export function asTestContext(scope: Scope): TestContext {
  return scope as TestContext
}
