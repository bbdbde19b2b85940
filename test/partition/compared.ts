import { Digests, type ComparedReplica } from '../../src/partition/digests.ts'
import type { Digest, Place } from '../../src/types/digest.ts'
import { brokerId, groupId, slot, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export interface Held {
  commit: number
  chain: number
  nextOffset: number
}

/** One broker with groups whose places the test sets; what it sends arrives at once, unless the test loses it. */
class ComparedBroker {
  readonly id: BrokerId
  readonly digests: Digests
  readonly groups = new Map<GroupId, Held>()
  readonly told: { readonly group: number; readonly from: number; readonly commit: number }[] = []
  readonly errors: string[] = []
  readonly failures: Error[] = []
  readonly sent: { readonly to: number; readonly digest: Digest }[] = []
  readonly #world: Compared

  constructor(id: number, world: Compared) {
    this.id = brokerId(id)
    this.#world = world
    this.digests = new Digests({
      self: this.id,
      clock: world.clock,
      replicas: () => [...this.groups.keys()].map((group) => this.#replica(group)),
      replica: (group) => (this.groups.has(group) ? this.#replica(group) : undefined),
      isAlive: (broker) => !world.down.has(broker),
      send: (to, digest) => {
        this.sent.push({ to, digest })
        world.deliver(this.id, to, digest)
      },
      error: (sentence) => void this.errors.push(sentence),
      fatal: (error) => {
        this.failures.push(error)
        this.digests.stop()
        world.down.add(this.id)
      },
    })
  }

  /** A group's replica applies slots until it is here. */
  reach(group: number, held: Held): void {
    this.groups.set(groupId(group), held)
    this.digests.applied({ group: groupId(group), ...held, slot: slot(held.commit) })
  }

  #replica(group: GroupId): ComparedReplica {
    const { commit, chain } = this.groups.get(group)!
    return {
      group,
      paxos: {
        commit: slot(commit),
        chainAt: (at) => (at === commit ? chain : this.#world.chainsInMemory.get(at)),
        configuration: {
          number: 1,
          voters: this.#world.voters.map((broker) => ({ broker, store: '' as never })),
          learners: [],
          fromSlot: slot(0),
        },
      },
      machine: this.groups.get(group)!,
      told: (from, commitThere) => void this.told.push({ group, from, commit: commitThere }),
    }
  }
}

export class Compared {
  readonly clock = new VirtualClock()
  readonly down = new Set<number>()
  readonly chainsInMemory = new Map<number, number>()
  readonly voters: readonly BrokerId[]
  readonly brokers: readonly ComparedBroker[]
  loses: (from: number, to: number, digest: Digest) => boolean = () => false

  constructor(size = 3) {
    this.voters = Array.from({ length: size }, (_, place) => brokerId(place + 1))
    this.brokers = this.voters.map((id) => new ComparedBroker(id, this))
    for (const { digests } of this.brokers) digests.start()
  }

  at(id: number): ComparedBroker {
    return this.brokers[id - 1]!
  }

  deliver(from: BrokerId, to: BrokerId, digest: Digest): void {
    if (this.down.has(from) || this.down.has(to) || this.loses(from, to, digest)) return
    this.clock.later(() => this.at(to).digests.received(from, digest), 1)
  }

  /** Puts a group's replicas where they stand, in the order of the brokers. */
  hold(group: number, ...held: readonly Held[]): void {
    for (const [place, each] of held.entries()) this.brokers[place]!.groups.set(groupId(group), { ...each })
  }

  /** Digests since the last call. */
  takeSent(): readonly Digest[] {
    return this.brokers.flatMap(({ sent }) => sent.splice(0).map(({ digest }) => digest))
  }
}

export function at(commit: number, chain = commit * 11, nextOffset = commit * 2): Held {
  return { commit, chain, nextOffset }
}

export function placeOf(group: number, held: Held): Place {
  return { group: groupId(group), slot: slot(held.commit), chain: held.chain, nextOffset: held.nextOffset }
}
