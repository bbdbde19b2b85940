import type { BrokerId, Replica as ReplicaId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Operation } from '../types/operation.ts'
import type { PartitionPlacement } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { GroupState } from '../partition/inspect.ts'
import type { RoutedGroup } from '../partition/router.ts'
import type { Command } from './commands.ts'
import type { Metadata } from './metadata.ts'
import { controllerVoters, isStuck, planChanges, type Picture } from './operation-plan.ts'
import { isNear, recordOf, votersOnRecord } from './operation-steps.ts'
import { carriersOf } from './placement-change.ts'
import { ReplacementRounds } from './replacement-rounds.ts'
import { isReplacement } from './store-replacement.ts'
import { AbsentBrokers } from './absent-brokers.ts'

/** Between two rounds while something is on its way, and while nothing is. */
const ROUND_MS = 200
const IDLE_MS = 1_000
/** Partitions whose replicas move at once on behalf of brokers: each copies a whole log. */
export const CHANGES_MAX = 8
/** A new replica whose broker is gone for so long goes elsewhere, and the copying begins anew. */
const ABANDON_AFTER_MS = 10_000
/** Partitions looked at in one round. */
const LOOKS_MAX = 64

export interface OperationRoundsOptions {
  readonly self: BrokerId
  readonly metadata: Metadata
  /** Whether this broker leads the metadata now. Who does not, does nothing. */
  isController(): boolean
  /** Who votes on the metadata now. */
  voters(): readonly ReplicaId[]
  /** Puts a command into the metadata's log; rejects with a SynodError when it does not get there. */
  submit(command: Command): Promise<unknown>
  /** A group's state as its leader tells it; undefined when nobody is known to lead. */
  stateOf(routed: RoutedGroup): Promise<GroupState | undefined>
  /** Orders a group's leader to end configuration `after`. */
  order(routed: RoutedGroup, voters: readonly ReplicaId[], after: number): Promise<void>
  /** The same for the metadata's own group, which this broker leads. */
  orderOwn(voters: readonly ReplicaId[]): Promise<unknown>
  isAlive(broker: BrokerId): boolean
  nowMs(): number
  wallMs(): number
  requestId(): string
  /** A broker that is gone for so long gets its replicas rebuilt elsewhere; undefined: never. */
  readonly replaceAfterMs: number | undefined
  later(run: () => void, delayMs: number): { cancel(): void }
  say(facts: Readonly<Record<string, unknown>>, sentence: string): void
  fatal(error: unknown): void
}

/**
 * Carries operations on, on the broker that is the controller. All that it knows is in the metadata and in the groups, and each
 * step can be taken twice: another controller goes on where one died.
 */
export class OperationRounds {
  readonly #options: OperationRoundsOptions
  readonly #absent: AbsentBrokers
  readonly #replacements: ReplacementRounds
  readonly #absentLearners = new AbsentBrokers(ABANDON_AFTER_MS)
  #timer: { cancel(): void } | undefined
  #isStopped = false
  /** Where the next look begins when there are more changes than one round looks at. */
  #next = 0

  constructor(options: OperationRoundsOptions) {
    this.#options = options
    this.#absent = new AbsentBrokers(options.replaceAfterMs)
    this.#replacements = new ReplacementRounds(options)
  }

  start(): void {
    this.#again(IDLE_MS)
  }

  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
  }

  #again(delayMs: number): void {
    if (this.#isStopped) return
    this.#timer = this.#options.later(() => {
      this.#round().then(
        () => this.#again(this.#isBusy ? ROUND_MS : IDLE_MS),
        (error: unknown) => this.#options.fatal(error),
      )
    }, delayMs)
  }

  get #isBusy(): boolean {
    const { isController, metadata } = this.#options
    return isController() && (metadata.runningOperations().length > 0 || metadata.changing().length > 0)
  }

  async #round(): Promise<void> {
    const { isController, metadata } = this.#options
    if (!isController()) {
      this.#absent.forget()
      this.#absentLearners.forget()
      return
    }
    await this.#attempt(() => this.#abandon())
    await this.#attempt(() => this.#replacements.begin())
    await Promise.all(this.#looks().map((placement) => this.#attempt(() => this.#carryOn(placement))))
    await this.#attempt(() => this.#keepVoters())
    for (const operation of metadata.runningOperations()) await this.#attempt(() => this.#advance(operation))
    await this.#attempt(() => this.#repair())
  }

  /** What does not come off is tried again in the next round: each step looks first what is so already. */
  async #attempt(step: () => Promise<void>): Promise<void> {
    if (this.#isStopped || !this.#options.isController()) return
    try {
      await step()
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
    }
  }

  #looks(): readonly PartitionPlacement[] {
    const changing = this.#options.metadata.changing()
    if (changing.length <= LOOKS_MAX) return changing
    const from = this.#next % changing.length
    this.#next = from + LOOKS_MAX
    return [...changing, ...changing].slice(from, from + LOOKS_MAX)
  }

  /** What is on its way to a broker that is gone goes elsewhere, as far as the brokers that it goes to are not asked for by name. */
  async #abandon(): Promise<void> {
    const { metadata, submit, isAlive, self, nowMs } = this.#options
    const learning = metadata.changing().filter(({ change }) => change?.phase === 'learning')
    const away = new Set(
      learning.flatMap(({ learners }) => learners.filter((id) => id !== self && !isAlive(id))),
    )
    const gone = this.#absentLearners.look([...away], nowMs())
    for (const { group, change, learners } of learning) {
      if (change === undefined || !learners.some((broker) => gone.includes(broker))) continue
      await submit({ kind: 'abandonChange', operation: change.operation, group })
    }
  }

  /** One step of one partition, by what its leader says. */
  async #carryOn(placement: PartitionPlacement): Promise<void> {
    const { stateOf, submit, order, wallMs } = this.#options
    const { group, configuration, change } = placement
    invariant(change !== undefined, 'Only a partition that changes is carried on.')
    const routed = { group, replicas: this.#aliveFirst(carriersOf(placement)) }
    const state = await stateOf(routed)
    if (state === undefined || !state.isElected) return
    if (state.configuration > configuration) {
      await submit(recordOf(group, state, wallMs()))
    } else if (change.phase === 'switching') {
      const voters = votersOnRecord(placement, change.target, this.#options.metadata)
      await order(routed, voters, configuration)
    } else if (placement.learners.every((broker) => isNear(state, broker))) {
      await submit({ kind: 'switchReplicas', operation: change.operation, group })
    }
  }

  async #advance(operation: Operation): Promise<void> {
    const { metadata, submit, wallMs } = this.#options
    if (isReplacement(operation)) return this.#replacements.advance(operation)
    const { subject, id } = operation
    // The commands of a recovery by force are all in the log before anybody leads it.
    if (subject.kind === 'replace-store' || subject.kind === 'unsafe-recover') return
    if (subject.kind === 'move-replicas') {
      if (metadata.partition(subject.group)?.placement.change?.operation === id) return
      const problem = `Topic '${subject.topic}' was deleted.`
      await submit({ kind: 'endOperation', operation: id, state: 'failed', problem, atMs: wallMs() })
      return
    }
    if (metadata.load(subject.broker).replicaCount === 0) {
      const isVoter = this.#options.voters().some(({ broker }) => broker === subject.broker)
      if (subject.kind === 'remove-broker' && isVoter) return
      await submit({ kind: 'endOperation', operation: id, state: 'done', atMs: wallMs() })
      this.#options.say(
        { operation: id, kind: subject.kind, subject: subject.broker },
        'An operation is done.',
      )
      return
    }
    const underWay = metadata.changing().length
    const picture = this.#picture()
    const planned = planChanges(subject, picture, Math.max(0, CHANGES_MAX - underWay))
    await Promise.all(planned.map((change) => submit({ kind: 'changeReplicas', operation: id, ...change })))
    if (planned.length > 0 || underWay > 0 || !isStuck(subject, picture)) return
    const problem = `No other broker can hold the replicas that are left on broker ${subject.broker}.`
    await submit({ kind: 'endOperation', operation: id, state: 'failed', problem, atMs: wallMs() })
  }

  /** The metadata's own group follows the members: who is removed votes no more, and a cluster that grew gets more voters. */
  async #keepVoters(): Promise<void> {
    const { metadata, voters, self, isAlive, orderOwn } = this.#options
    const leaving = metadata
      .runningOperations()
      .flatMap(({ subject }) => (subject.kind === 'remove-broker' ? [subject.broker] : []))
    const gone = new Set([...leaving, ...metadata.removedBrokers().map(({ id }) => id)])
    // A founder that has not registered yet votes as well.
    const members = new Set(
      [...voters(), ...metadata.brokers().map(({ id }) => ({ broker: id }))].map((one) => one.broker),
    )
    const staying = [...members].filter((id) => !gone.has(id)).sort((a, b) => a - b)
    if (staying.length === 0) return
    const next = controllerVoters({
      voters: voters().map(({ broker }) => broker),
      staying,
      self,
      isAlive: (broker) => broker === self || isAlive(broker),
    })
    if (next === undefined) {
      const onPresentStores = this.#replacements.ownVoters()
      if (onPresentStores !== undefined) await orderOwn(onPresentStores)
      return
    }
    const present = voters()
    const kept = present.filter(({ broker }) => next.includes(broker))
    const added = next.filter((broker) => present.every((voter) => voter.broker !== broker))
    await orderOwn([...kept, ...this.#replicasOf(added)])
  }

  /** A broker that is gone for too long is replaced; one that came back keeps what it still has. */
  async #repair(): Promise<void> {
    const { metadata, submit, isAlive, self, nowMs, wallMs, requestId } = this.#options
    const brokers = metadata.brokers().map(({ id }) => id)
    const gone = this.#absent.look(
      brokers.filter((id) => id !== self && !isAlive(id)),
      nowMs(),
    )
    for (const { id, subject } of metadata.runningOperations()) {
      if (subject.kind === 'repair-broker' && (subject.broker === self || isAlive(subject.broker)))
        await submit({ kind: 'cancelOperation', operation: id, atMs: wallMs() })
    }
    for (const broker of gone) {
      const wish = { kind: 'repair-broker', broker } as const
      const isWorkedOn = metadata
        .runningOperations()
        .some(({ subject }) => subject.kind !== 'move-replicas' && subject.broker === broker)
      if (isWorkedOn || planChanges(wish, this.#picture(), 1).length === 0) continue
      await submit({ kind: 'startOperation', requestId: requestId(), startedAtMs: wallMs(), wish })
      this.#options.say({ missing: broker }, 'A broker is gone: its replicas are rebuilt on others.')
    }
  }

  #picture(): Picture {
    const { metadata, isAlive, self } = this.#options
    return {
      topics: () => metadata.topics(),
      loads: metadata.loads(),
      failureDomainOf: (broker) => metadata.broker(broker)?.failureDomain,
      isAlive: (broker) => broker === self || isAlive(broker),
    }
  }

  #replicasOf(brokers: readonly BrokerId[]): ReplicaId[] {
    return brokers.map((broker) => {
      const store = this.#options.metadata.presentStore(broker)
      invariant(store !== undefined, `Broker ${broker} is registered before it gets replicas.`)
      return { broker, store }
    })
  }

  #aliveFirst(brokers: readonly BrokerId[]): BrokerId[] {
    const { isAlive, self } = this.#options
    const isReachable = (broker: BrokerId) => broker === self || isAlive(broker)
    return brokers.toSorted((a, b) => Number(isReachable(b)) - Number(isReachable(a)))
  }
}
