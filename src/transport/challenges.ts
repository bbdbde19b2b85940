import { freshNonce } from './handshake.ts'
import { CHALLENGE_TTL_MS, CHALLENGES_MAX } from './limits.ts'

/** Nonces that were handed out and are good for one use within `CHALLENGE_TTL_MS`. At the bound the oldest is void. */
export class Challenges {
  readonly #issuedAtMs = new Map<string, number>()

  issue(nowMs: number = performance.now()): string {
    if (this.#issuedAtMs.size >= CHALLENGES_MAX) {
      const oldest = this.#issuedAtMs.keys().next()
      if (!oldest.done) this.#issuedAtMs.delete(oldest.value)
    }
    const challenge = freshNonce()
    this.#issuedAtMs.set(challenge, nowMs)
    return challenge
  }

  /** True once for each challenge. */
  redeem(challenge: string, nowMs: number = performance.now()): boolean {
    const issuedAtMs = this.#issuedAtMs.get(challenge)
    this.#issuedAtMs.delete(challenge)
    return issuedAtMs !== undefined && nowMs - issuedAtMs <= CHALLENGE_TTL_MS
  }
}
