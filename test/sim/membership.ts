import { sameReplica, type BrokerId, type GroupId, type Replica, type StoreId } from '../../src/types/ids.ts'
import type { GroupHost } from './group-host.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { TRACED } from './trace.ts'

/** How often the control plane looks after a change that is under way. */
const LOOK_EVERY_MS = 100

/** A change of one group's voters, from its learners to the leader of the new configuration. */
interface Change {
  readonly voters: readonly Replica[]
  /** A change that is not ordered until then is given up. */
  readonly giveUpAtMs: number
  isOrdered: boolean
}

/** What the control plane knows of one group. */
interface GroupRecord {
  /** Brokers that have been given a replica. */
  readonly holders: Set<BrokerId>
  learners: readonly Replica[]
  change: Change | undefined
  /** What was ordered. A stop-sign once appended may be chosen later, though the change was given up. */
  ordered: { readonly after: number; readonly voters: readonly Replica[] }[]
}

/**
 * A control plane that knows everything at once, unlike the real one: makes brokers learn, orders the change wherever somebody
 * believes to lead, and drops who votes no more. What brokers hear of it comes late or, while they are down, at their start.
 */
export class Membership {
  private readonly scene: Scene
  private readonly random: Random
  private readonly records = new Map<GroupId, GroupRecord>()

  constructor(scene: Scene, random: Random) {
    this.scene = scene
    this.random = random
    const { voters } = scene.configuration
    for (const group of scene.groups) {
      const holders = new Set(voters.map((voter) => voter.broker))
      this.records.set(group, { holders, learners: [], change: undefined, ordered: [] })
      this.nextChange(group)
      this.dropLater(group)
    }
  }

  isHolder(group: GroupId, broker: BrokerId): boolean {
    return this.record(group).holders.has(broker)
  }

  learners(group: GroupId): readonly Replica[] {
    return this.record(group).learners
  }

  /**
   * Whether a group can do without a broker for good, whichever order prevails. Until the newest configuration has been led
   * the one before is needed as well: perhaps nobody knows yet that it has ended.
   */
  canSpare(group: GroupId, broker: BrokerId): boolean {
    const { truth } = this.scene.oracles.of(group)
    const { number } = truth.newest
    const before = truth.hasLed(number) ? [] : [truth.votersOf(number - 1)]
    return [this.newest(group), ...this.possible(group), ...before].every(
      (voters) => voters.length >= 3 || voters.every((voter) => voter.broker !== broker),
    )
  }

  /** The run is healed: nothing new is begun. */
  finish(): void {
    for (const group of this.scene.groups) this.settle(group)
  }

  private record(group: GroupId): GroupRecord {
    return this.records.get(group) as GroupRecord
  }

  private newest(group: GroupId): readonly Replica[] {
    return this.scene.oracles.of(group).truth.newest.voters
  }

  /** Voters of the configuration that may follow the newest. */
  private possible(group: GroupId): (readonly Replica[])[] {
    const { number } = this.scene.oracles.of(group).truth.newest
    const record = this.record(group)
    record.ordered = record.ordered.filter((order) => order.after >= number)
    return record.ordered.map((order) => order.voters)
  }

  private nextChange(group: GroupId): void {
    const { scene, random } = this
    const everyMs = scene.swarm.reconfigureEveryMs
    if (everyMs === Infinity) return
    scene.queue.after(random.exponential(everyMs), () => {
      if (scene.isHealed) return
      if (this.record(group).change === undefined) this.begin(group)
      else this.nextChange(group)
    })
  }

  /** Draws the next voters: one comes, goes or is replaced, or any set at all. */
  private begin(group: GroupId): void {
    const { scene, random } = this
    const all = [...scene.brokers.values()].map(({ id, disk }) => ({ broker: id, store: disk.storeId }))
    const now = this.newest(group)
    const others = all.filter(({ broker }) => !now.some((voter) => voter.broker === broker))
    const dropped = random.pick(now)
    const kept = now.filter((voter) => voter !== dropped)
    const added = others.length > 0 ? [random.pick(others)] : []
    const anySet = all.filter(() => random.chance(0.5))
    const kind = random.integer(4)
    const drawn = [[...now, ...added], kept, [...added, ...kept], anySet][kind] ?? now
    const voters = this.renewed(now) ?? drawn
    const learners = voters.filter((voter) => !now.some((other) => sameReplica(other, voter)))
    if (learners.some((learner) => this.isLost(learner)) || !scene.atlas.isMinorityOf(voters))
      return this.nextChange(group)
    const record = this.record(group)
    record.change = { voters, giveUpAtMs: scene.queue.nowMs + random.between(500, 4_000), isOrdered: false }
    for (const { broker } of learners) record.holders.add(broker)
    this.note(() => `group ${group} is to have ${voters.map((voter) => voter.broker).join(' ')}`)
    this.tell(group, learners)
    this.look(group)
  }

  /** The same voters with the stores that their brokers have now, as a control plane replaces one that was lost. */
  private renewed(now: readonly Replica[]): readonly Replica[] | undefined {
    const { scene, random } = this
    const next = now.map((voter) => {
      const store = scene.brokers.get(voter.broker)?.disk.storeId ?? voter.store
      return store === voter.store ? voter : { broker: voter.broker, store }
    })
    const isSame = next.every((voter) => now.includes(voter))
    return isSame || !random.chance(0.8) ? undefined : next
  }

  /** A store that has forgotten gets no vote again. */
  private isLost({ broker, store }: Replica): boolean {
    const { atlas, brokers, oracles } = this.scene
    return (
      broker === atlas.forgetful && oracles.hasForgotten(broker) && brokers.get(broker)?.self.store === store
    )
  }

  private look(group: GroupId): void {
    const { scene } = this
    scene.queue.after(LOOK_EVERY_MS * this.random.between(0.2, 1), () => {
      const record = this.record(group)
      const { change } = record
      if (change === undefined || scene.isHealed) return
      if (this.isDone(group) || scene.queue.nowMs > change.giveUpAtMs) {
        this.settle(group)
        return this.nextChange(group)
      }
      this.order(group, change)
      this.look(group)
    })
  }

  private isDone(group: GroupId): boolean {
    const { newest } = this.scene.oracles.of(group).truth
    const { change } = this.record(group)
    return (
      change?.isOrdered === true &&
      newest.voters.length === change.voters.length &&
      newest.voters.every((voter) => change.voters.some((other) => sameReplica(other, voter)))
    )
  }

  /** Whoever believes to lead is asked, as a control plane that does not know better would. */
  private order(group: GroupId, change: Change): void {
    for (const broker of this.scene.brokers.values()) {
      const host = broker.host(group)
      if (host?.paxos.role !== 'leader') continue
      change.isOrdered = true
      const after = this.scene.oracles.of(group).truth.newest.number
      this.record(group).ordered.push({ after, voters: change.voters })
      broker.reconfigure(group, change.voters)
    }
  }

  /** The change came about or was given up: who does not vote learns no more. */
  private settle(group: GroupId): void {
    const record = this.record(group)
    record.change = undefined
    this.tell(group, [])
  }

  /**
   * Takes the replicas of those away that neither vote nor learn, each after a while of its own. Only when a ballot of the newest
   * configuration has led: then a majority of its voters has taken it up, and nobody needs the others (consensus 1.12 step 6).
   */
  private dropLater(group: GroupId): void {
    const { scene, random } = this
    const everyMs = scene.swarm.dropEveryMs
    if (everyMs === Infinity) return
    scene.queue.after(random.exponential(everyMs), () => {
      const record = this.record(group)
      const { truth } = scene.oracles.of(group)
      const needed = [truth.newest.voters, record.learners, ...this.possible(group)].flat()
      const isNeeded = (broker: BrokerId): boolean => needed.some((replica) => replica.broker === broker)
      const idle = [...record.holders].filter((broker) => !isNeeded(broker))
      if (idle.length > 0 && truth.hasLed(truth.newest.number)) this.drop(group, random.pick(idle))
      this.dropLater(group)
    })
  }

  private drop(group: GroupId, broker: BrokerId): void {
    const { scene } = this
    this.record(group).holders.delete(broker)
    this.note(() => `the replica of group ${group} on broker ${broker} is to go`)
    scene.queue.after(scene.isHealed ? 1 : this.random.exponential(50), () =>
      scene.brokers.get(broker)?.hearMembership(group),
    )
  }

  private tell(group: GroupId, learners: readonly Replica[]): void {
    const { scene, random } = this
    this.record(group).learners = learners
    for (const broker of scene.brokers.values())
      scene.queue.after(scene.isHealed ? 1 : random.exponential(50), () => broker.hearMembership(group))
  }

  private note(what: () => string): void {
    this.scene.trace.note(TRACED.FAULT, 0, 2, this.scene.queue.nowMs, what)
  }
}

/** Whether a host belongs to the newest configuration of its group: only then anything is demanded of it. */
export function isVoting(scene: Scene, broker: BrokerId, host: GroupHost): boolean {
  const { newest } = scene.oracles.of(host.group).truth
  return newest.voters.some((voter) => voter.broker === broker)
}

/** Whether a broker came back with another store that has no vote in some group yet. */
export function hasNewStore(
  { configuration, groups, oracles }: Scene,
  id: BrokerId,
  store: StoreId,
): boolean {
  const isGivenVote = (voters: readonly Replica[]) =>
    voters.some((voter) => sameReplica(voter, { broker: id, store }))
  const isFirst = configuration.voters.some((voter) => voter.store === store)
  return !isFirst && groups.some((group) => !isGivenVote(oracles.of(group).truth.newest.voters))
}
