/** All that the transport needs of a logger. Facts never hold secrets, proofs or bodies. */
export interface TransportLog {
  info(message: string, facts?: Readonly<Record<string, unknown>>): void
  warn(message: string, facts?: Readonly<Record<string, unknown>>): void
}

export const QUIET_TOPICS_MAX = 1_000

/** Says the same thing once, until it has ended: a peer that is refused tries again for hours. */
export class QuietLog {
  readonly #log: TransportLog
  readonly #said = new Set<string>()

  constructor(log: TransportLog) {
    this.#log = log
  }

  info(message: string, facts?: Readonly<Record<string, unknown>>): void {
    this.#log.info(message, facts)
  }

  /** `topic` names what the message is about. At the bound of remembered topics all are forgotten and said again. */
  warnOnce(topic: string, message: string, facts?: Readonly<Record<string, unknown>>): void {
    if (this.#said.has(topic)) return
    if (this.#said.size >= QUIET_TOPICS_MAX) this.#said.clear()
    this.#said.add(topic)
    this.#log.warn(message, facts)
  }

  /** What `topic` is about has ended: the next time it is said again. */
  ended(topic: string): void {
    this.#said.delete(topic)
  }
}
