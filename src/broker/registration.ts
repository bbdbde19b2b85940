import { SynodError } from '../errors.ts'
import type { Logger } from '../observability/logger.ts'
import type { LoopClock } from '../partition/loop.ts'
import type { PeerAddress } from '../transport/transport.ts'
import type { ControlPlane } from './control-plane.ts'
import { whyNoController } from './no-controller.ts'
import type { Vouching } from './vouching.ts'

export interface RegistrationOptions {
  readonly control: ControlPlane
  readonly vouching: Vouching
  readonly clock: LoopClock
  readonly logger: Logger
  /** Where clients and other brokers reach this one. */
  readonly addresses: () => { readonly publicUrl: string; readonly internal: PeerAddress }
  /** The cluster removed this broker while it was down. */
  readonly onRemoved: () => void
  readonly isStopped: () => boolean
  /** What nobody expected: the broker has to end. */
  readonly fail: (error: unknown) => void
}

const RETRY_MS = 200
/** A broker whose store waits to be replaced looks so often whether it was. */
const REPLACED_LOOK_MS = 2_000
/** A broker that hears no other one asks so often whether it was removed. */
const UNHEARD_LOOK_MS = 10_000
/** Who waits longer than a failover takes tells its operator why, and again each time the reason is another one. */
const PATIENCE_MS = 5_000

/** How a broker tells the cluster where it is, and which store it has: only then it is ready. */
export class Registration {
  readonly #options: RegistrationOptions
  #told = ''

  constructor(options: RegistrationOptions) {
    this.#options = options
  }

  /** Why no controller has answered yet, for whoever asks whether the broker is ready. */
  get whyWaiting(): string {
    const { group, links, self } = this.#options.control
    const { configuration, leader, isVoter } = group.replica.paxos
    return whyNoController({ self, configuration, leader, isVoter, view: links })
  }

  /** Tried until it succeeds: without a controller there is nobody to tell. Rejects with what must end the broker. */
  async register(): Promise<void> {
    const { control, vouching, logger, clock, addresses } = this.#options
    const startMs = clock.nowMs()
    // A broker that has forgotten learns nothing, so that it would wait for ever to see itself registered.
    while (!this.#options.isStopped() && !vouching.hasForgotten) {
      try {
        await control.register(addresses())
        if (vouching.reason !== undefined)
          logger.info({}, 'The store of this broker has been replaced: it votes again in all its groups.')
        vouching.registeredWith(undefined)
        return this.#watch()
      } catch (error) {
        if (!(error instanceof SynodError)) throw error
        const { registeredStore } = error.facts
        if (typeof registeredStore === 'string') {
          const hasAsked = await this.#askForVotes(registeredStore)
          if (hasAsked) return this.#awaitVotes()
        } else if (error.facts.removed === true) return this.#options.onRemoved()
        else if (error.code === 'internal') throw error
        else if (clock.nowMs() - startMs >= PATIENCE_MS) this.#tellWhy(error)
        await this.#pause()
      }
    }
  }

  /** The cluster knows this broker with another store. With this one it only learns, until it is given the votes of that one. */
  async #askForVotes(registered: string): Promise<boolean> {
    const { control, vouching, logger } = this.#options
    vouching.registeredWith(registered)
    try {
      await control.replaceStore()
      return true
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      logger.debug({ code: error.code }, 'The broker could not ask for its votes yet.')
      return false
    }
  }

  /** It serves what it learns meanwhile. */
  #awaitVotes(): void {
    const { clock, isStopped, fail } = this.#options
    clock.later(() => {
      if (!isStopped()) this.register().catch(fail)
    }, REPLACED_LOOK_MS)
  }

  /**
   * A broker that is removed while nobody can tell it (it is cut off, or stands still) would take itself for a member for ever:
   * the others send it nothing any more. So who hears none of them asks, as one that they do not know.
   */
  #watch(): void {
    const { clock, isStopped, fail } = this.#options
    clock.later(() => {
      if (isStopped()) return
      const asked = this.#isUnheard ? this.#askWhetherRemoved() : Promise.resolve()
      asked.then(() => this.#watch(), fail)
    }, UNHEARD_LOOK_MS)
  }

  get #isUnheard(): boolean {
    const { group, links } = this.#options.control
    if (group.metadata.brokers().length <= 1) return false
    for (const { alive } of links?.peers.values() ?? []) if (alive) return false
    return true
  }

  async #askWhetherRemoved(): Promise<void> {
    const { control, addresses, onRemoved } = this.#options
    try {
      await control.register(addresses(), { isUnheard: true })
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      if (error.facts.removed === true) onRemoved()
    }
  }

  #tellWhy(error: SynodError): void {
    const reason = this.whyWaiting
    if (reason === this.#told) return
    this.#told = reason
    this.#options.logger.warn({ code: error.code }, reason)
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#options.clock.later(resolve, RETRY_MS))
  }
}
