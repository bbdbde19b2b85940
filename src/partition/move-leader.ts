import type { BrokerId, GroupId } from '../types/ids.ts'
import type { Topic } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import { invariant } from '../types/invariant.ts'
import { PeerLost, PeerUnreachable } from '../transport/transport.ts'
import { decodeJson, encodeJson, notLeader } from './forward.ts'
import type { Registry } from './registry.ts'
import type { Router } from './router.ts'

const MOVE_TIMEOUT_MS = 2_000

/** Hands a partition's leadership to another of its replicas, wherever it is led now. */
export class LeaderMoves {
  readonly #registry: Registry
  readonly #router: Router

  constructor(options: { registry: Registry; router: Router }) {
    this.#registry = options.registry
    this.#router = options.router
  }

  /**
   * Resolves when the leader has begun to hand over, or when `to` leads already. Errors: 'not-a-replica'; 'not-enough-in-sync'
   * when `to` cannot lead now; 'overloaded' when it is being moved; 'no-leader', 'no-quorum'.
   */
  async move(topic: Topic, partition: number, to: BrokerId): Promise<void> {
    const placement = topic.partitions[partition]
    invariant(placement !== undefined, `Topic '${topic.name}' has no partition ${partition}.`)
    if (!placement.replicas.includes(to)) {
      throw new SynodError(
        'not-a-replica',
        `Broker ${to} holds no replica of partition ${partition} of '${topic.name}'.`,
        {
          hint: `Choose one of ${placement.replicas.join(', ')}.`,
          facts: { replicas: placement.replicas.map(String) },
        },
      )
    }
    await this.#router.atLeader(
      placement,
      {
        kind: 'transfer',
        changes: 'once',
        local: () => this.moveHere(placement.group, to),
        body: () => encodeJson({ to }),
        decode: () => undefined,
      },
      MOVE_TIMEOUT_MS,
    )
  }

  /**
   * Orders a broker that says that it leads to hand over. Errors: as `move`, but 'not-a-replica'. From one that does not answer
   * it is 'no-leader' too, though it may have heard the order: to repeat it does no harm.
   */
  async order(from: BrokerId, group: GroupId, to: BrokerId): Promise<void> {
    try {
      await this.#router.at(from, group, 'transfer', encodeJson({ to }), MOVE_TIMEOUT_MS)
    } catch (error) {
      if (!(error instanceof PeerLost) && !(error instanceof PeerUnreachable)) throw error
      throw new SynodError('no-leader', `Broker ${from} does not answer.`, { cause: error })
    }
  }

  /** As the leader. */
  async moveHere(group: GroupId, to: BrokerId): Promise<void> {
    const replica = this.#registry.replica(group)
    if (replica === undefined || !replica.isLeader) throw notLeader(this.#router.leaderToTell(group))
    if (replica.paxos.leader !== to) await replica.transfer(to)
  }

  /** What another broker asks of this one as the leader. */
  async handle(group: GroupId, body: Uint8Array): Promise<Uint8Array> {
    const asked = decodeJson(body)
    const to = typeof asked === 'object' && asked !== null && 'to' in asked ? asked.to : undefined
    if (typeof to !== 'number') throw new SynodError('malformed-request', 'A transfer names a broker.')
    await this.moveHere(group, to as BrokerId)
    return encodeJson({})
  }
}
