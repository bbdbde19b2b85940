import { brokerId, storeId, type GroupId, type Replica as ReplicaId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import { decodeJson, encodeJson, notLeader } from './forward.ts'
import type { Registry } from './registry.ts'
import type { RoutedGroup, Router } from './router.ts'

/** Choosing the stop-sign takes a round trip; what takes longer is asked for again. */
const RECONFIGURE_TIMEOUT_MS = 3_000

/** Ends a group's configuration wherever the group is led, so that other brokers vote in the next one. */
export class Reassignments {
  readonly #registry: Registry
  readonly #router: Router

  constructor(options: { registry: Registry; router: Router }) {
    this.#registry = options.registry
    this.#router = options.router
  }

  /**
   * Resolves when the configuration with these voters is in force. It ends configuration `after` and no other, so that an order
   * that is late changes nothing. Errors: 'etag-mismatch' when another one is in force; those of `Replica.reconfigure`;
   * 'no-leader', 'no-quorum'.
   */
  async order(routed: RoutedGroup, voters: readonly ReplicaId[], after: number): Promise<void> {
    await this.#router.atLeader(
      routed,
      {
        kind: 'reconfigure',
        changes: 'once',
        local: () => this.#orderHere(routed.group, voters, after),
        body: () => encodeJson({ voters, after }),
        decode: () => undefined,
      },
      RECONFIGURE_TIMEOUT_MS,
    )
  }

  async #orderHere(group: GroupId, voters: readonly ReplicaId[], after: number): Promise<void> {
    const replica = this.#registry.replica(group)
    if (replica === undefined || !replica.isLeader) throw notLeader(this.#router.leaderToTell(group))
    await replica.reconfigure(voters, RECONFIGURE_TIMEOUT_MS, after)
  }

  /** What another broker asks of this one as the leader. */
  async handle(group: GroupId, body: Uint8Array): Promise<Uint8Array> {
    const { voters, after } = decodeJson(body) as { voters?: unknown; after?: unknown }
    if (!Array.isArray(voters) || !Number.isSafeInteger(after))
      throw new SynodError(
        'malformed-request',
        'An order to change replicas names them, and a configuration.',
      )
    const replicas = (voters as ReplicaId[]).map(({ broker, store }) => ({
      broker: brokerId(broker),
      store: storeId(store),
    }))
    await this.#orderHere(group, replicas, after as number)
    return encodeJson({})
  }
}
