import type { BrokerId, GroupId, Replica } from '../types/ids.ts'
import type { PartitionPlacement, Topic } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import { formatBallot } from '../paxos/ballot.ts'
import type { VoterProgress } from '../paxos/options.ts'
import type { Role } from '../paxos/state.ts'
import type { LogStore } from '../storage/log-store.ts'
import { decodeJson, encodeJson } from './forward.ts'
import type { LoopClock } from './loop.ts'
import type { Registry } from './registry.ts'
import type { Router } from './router.ts'

/** A partition's live state, as its leader (or, failing that, this broker's own replica) tells it. */
export interface GroupState {
  readonly answeredBy: BrokerId
  readonly ballot: string
  /** Number of the configuration in force here, and who votes in it. */
  readonly configuration: number
  readonly voters: readonly Replica[]
  /** It leads, elected in that configuration: whoever votes in it no more is not needed any more. */
  readonly isElected: boolean
  readonly leader: BrokerId | undefined
  readonly role: Role
  readonly promised: string
  readonly accepted: string
  readonly acceptedSlot: number
  readonly chosen: number
  readonly logStart: number
  readonly highWatermark: number
  readonly sizeBytes: number
  readonly replicas: readonly VoterProgress[]
}

const STATE_TIMEOUT_MS = 1_000
/** Groups asked of one broker in one request. */
const GROUPS_MAX = 1_000

/** Looks into partitions for people: who leads, who is in sync, how far everybody is. Never used for safety. */
export class Inspector {
  readonly #self: BrokerId
  readonly #registry: Registry
  readonly #router: Router
  readonly #store: Pick<LogStore, 'groupBytes'>
  readonly #clock: LoopClock

  constructor(options: {
    self: BrokerId
    registry: Registry
    router: Router
    store: Pick<LogStore, 'groupBytes'>
    clock: LoopClock
  }) {
    this.#self = options.self
    this.#registry = options.registry
    this.#router = options.router
    this.#store = options.store
    this.#clock = options.clock
  }

  /** This broker's own view of a group, undefined when it holds no replica of it. */
  here(group: GroupId): GroupState | undefined {
    const replica = this.#registry.replica(group)
    if (replica === undefined) return undefined
    const { paxos } = replica
    const partition = this.#registry.partition(group)
    return {
      answeredBy: this.#self,
      ballot: formatBallot(paxos.ballot),
      configuration: paxos.configuration.number,
      voters: paxos.configuration.voters,
      isElected: paxos.role === 'leader' && paxos.ballot.config === paxos.configuration.number,
      leader: paxos.leader,
      role: paxos.role,
      promised: formatBallot(paxos.promised),
      accepted: formatBallot(paxos.acceptedBallot),
      acceptedSlot: paxos.through,
      chosen: paxos.commit,
      logStart: partition?.logStart ?? 0,
      highWatermark: partition?.highWatermark ?? 0,
      sizeBytes: this.#store.groupBytes(group),
      replicas: paxos.progress(this.#clock.moment()),
    }
  }

  statesHere(groups: readonly GroupId[]): readonly (GroupState | null)[] {
    if (groups.length > GROUPS_MAX)
      throw new SynodError('malformed-request', `At most ${GROUPS_MAX} groups can be asked for at once.`)
    return groups.map((group) => this.here(group) ?? null)
  }

  /**
   * One state a partition of the topic, in order; each asked of the broker that leads it, one request a broker. Who is
   * believed to lead but does not may name the leader, which is then asked; only once, for that may change all the time.
   */
  async topic(topic: Topic): Promise<readonly (GroupState | undefined)[]> {
    const states: (GroupState | undefined)[] = topic.partitions.map((placement) => this.here(placement.group))
    await this.#askEach(topic, states, ({ group, partition, replicas }) => {
      return this.#router.leaderOf(group) ?? (states[partition] === undefined ? replicas[0] : undefined)
    })
    await this.#askEach(topic, states, ({ partition }) => {
      const state = states[partition]
      // The leader that this broker's own replica knows has been asked already.
      if (state === undefined || state.answeredBy === this.#self) return undefined
      return state.leader === state.answeredBy ? undefined : state.leader
    })
    return states
  }

  async partition(topic: Topic, partition: number): Promise<GroupState> {
    const placement = topic.partitions[partition]!
    const states = await this.topic({ ...topic, partitions: [{ ...placement, partition: 0 }] })
    const state = states[0]
    if (state === undefined) {
      throw new SynodError('no-leader', `No replica of partition ${partition} of '${topic.name}' answers.`, {
        retryAfterMs: 1_000,
      })
    }
    return state
  }

  /** Replaces the states of those partitions for which `choose` names another broker. */
  async #askEach(
    topic: Topic,
    states: (GroupState | undefined)[],
    choose: (placement: PartitionPlacement) => BrokerId | undefined,
  ): Promise<void> {
    const byBroker = new Map<BrokerId, PartitionPlacement[]>()
    for (const placement of topic.partitions) {
      const broker = choose(placement)
      if (broker === undefined || broker === this.#self) continue
      byBroker.set(broker, [...(byBroker.get(broker) ?? []), placement])
    }
    await Promise.all([...byBroker].map(([broker, placements]) => this.#ask(broker, placements, states)))
  }

  async #ask(
    broker: BrokerId,
    placements: readonly PartitionPlacement[],
    into: (GroupState | undefined)[],
  ): Promise<void> {
    for (let at = 0; at < placements.length; at += GROUPS_MAX) {
      const asked = placements.slice(at, at + GROUPS_MAX)
      const body = encodeJson({ groups: asked.map((placement) => placement.group) })
      try {
        const answer = decodeJson(
          await this.#router.at(broker, asked[0]!.group, 'state', body, STATE_TIMEOUT_MS),
        )
        ;(answer as (GroupState | null)[]).forEach((state, index) => {
          if (state !== null) into[asked[index]!.partition] = state
        })
      } catch {
        // A broker that does not answer leaves this broker's own view, which is said to be its own.
        return
      }
    }
  }
}
