/** What a user would notice. */
type OutwardRule =
  | 'agreement'
  | 'acknowledged'
  | 'refused'
  | 'exactly-once'
  | 'order'
  | 'offsets'
  | 'read'
  | 'progress'
  | 'idle'
  | 'repair'

/** What the protocol promises itself (consensus 1.8); a break is seen before anybody is harmed by it. */
type ProtocolRule =
  'outsider' | 'I1' | 'I2' | 'I3' | 'I4' | 'I7' | 'I8' | 'chosen' | 'commit' | 'holes' | 'configuration'

/** What a host and its disk owe the core, and what must not happen to any program. */
type DutyRule = 'durable' | 'recovery' | 'spin' | 'exception'

/** What the clients of whole brokers see, and what whole brokers owe each other. */
type BrokerRule =
  | 'history'
  | 'operation'
  | 'refusal'
  | 'metadata'
  | 'watermark'
  | 'retention'
  | 'replicas'
  | 'bounds'
  | 'answer'

export type Rule = OutwardRule | ProtocolRule | DutyRule | BrokerRule

/** An oracle found what must not be. */
export class Violation extends Error {
  override readonly name = 'Violation'
  readonly rule: Rule

  constructor(rule: Rule, detail: string) {
    super(`${rule}: ${detail}`)
    this.rule = rule
  }
}

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
