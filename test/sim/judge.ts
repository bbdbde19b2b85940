/** An oracle found what must not be. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly rule: Rule

  constructor(rule: Rule, detail: string) {
    super(`${rule}: ${detail}`)
    this.rule = rule
  }
}

/**
 * The rules that are checked. The first line holds what a user would notice, the second what the protocol promises itself
 * (consensus 1.8), the third what a broker does against its host's duties, long before anything is lost by it.
 */
export type Rule =
  | 'agreement'
  | 'acknowledged'
  | 'refused'
  | 'exactly-once'
  | 'order'
  | 'offsets'
  | 'read'
  | 'progress'
  | 'idle'
  | 'I1'
  | 'I2'
  | 'I3'
  | 'I4'
  | 'I7'
  | 'I8'
  | 'chosen'
  | 'holes'
  | 'commit'
  | 'durable'
  | 'recovery'
  | 'spin'
  | 'exception'

/** Throws at the first broken rule. A mutant test may ignore early ones to see what the fault leads to. */
export class Judge {
  private readonly ignored: ReadonlySet<Rule>

  constructor(ignored: ReadonlySet<Rule> = new Set()) {
    this.ignored = ignored
  }

  /** `detail` is made only when the rule is broken. */
  demand(isKept: boolean, rule: Rule, detail: () => string): void {
    if (!isKept && !this.ignored.has(rule)) throw new Violation(rule, detail())
  }
}
