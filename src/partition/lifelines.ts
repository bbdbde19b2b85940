import { setMaxListeners } from 'node:events'
import type { BrokerId } from '../types/ids.ts'

/**
 * A signal for each broker that something was asked of: it is given when the detector misses the broker. Silence ends no
 * connection, so without it a question to a broker that was cut off would wait until its own time is over.
 */
export class Lifelines {
  readonly #controllers = new Map<BrokerId, AbortController>()

  /** Aborted when the broker is missed the next time. All questions to it share one. */
  of(broker: BrokerId): AbortSignal {
    let controller = this.#controllers.get(broker)
    if (controller === undefined) {
      controller = new AbortController()
      // As many listen as questions are under way, which the transport bounds.
      setMaxListeners(0, controller.signal)
      this.#controllers.set(broker, controller)
    }
    return controller.signal
  }

  /** The detector's view changed. */
  cut(isAlive: (broker: BrokerId) => boolean): void {
    for (const [broker, controller] of this.#controllers) {
      if (isAlive(broker)) continue
      this.#controllers.delete(broker)
      controller.abort()
    }
  }
}
