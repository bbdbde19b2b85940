import type { BrokerId } from '../types/ids.ts'

/** What a seed says of its store. */
export interface SeedStatus {
  readonly brokerId: BrokerId
  readonly storeId: string
  readonly clusterId: string
  readonly empty: boolean
  /** Who votes on the metadata, from a member of a cluster. */
  readonly controllers?: FirstConfiguration['voters'] | undefined
}

/** The first configuration of the controller's group, and the cluster's name. */
export interface FirstConfiguration {
  readonly clusterId: string
  readonly voters: readonly { readonly broker: BrokerId; readonly store: string }[]
}

export interface FormationOptions {
  readonly self: SeedStatus
  /** All seeds, this broker among them. */
  readonly seeds: readonly BrokerId[]
  ask(seed: BrokerId): Promise<SeedStatus>
  tell(seed: BrokerId, configuration: FirstConfiguration): Promise<void>
  /** Makes the first configuration durable here, then the cluster's id. */
  adopt(configuration: FirstConfiguration): Promise<void>
  /** Makes durable that this broker belongs to a cluster that exists and learns its metadata from these; then the cluster's id. */
  adoptAsLearner(cluster: FirstConfiguration): Promise<void>
  drawClusterId(): string
  /** False for a store that took another one's place. */
  mayFound(): boolean
  pause(delayMs: number): Promise<void>
  /** Said when something keeps the cluster from forming; once a sentence. */
  warn(sentence: string): void
  isStopped(): boolean
}

const RETRY_MS = 200

/**
 * Forms a cluster once, out of empty stores only (consensus 1.16, 'Bootstrap'), or joins one that exists. The seed with the lowest id decides, and only
 * when *all* seeds answer 'empty': were a majority enough, two wiped brokers could form an empty cluster over the third's data.
 */
export class Formation {
  readonly #options: FormationOptions
  readonly #said = new Set<string>()
  #adopted: FirstConfiguration | undefined
  #isAdopting = false

  constructor(options: FormationOptions) {
    this.#options = options
  }

  /** Returns when this store belongs to a cluster, or when the broker stops. */
  async join(): Promise<void> {
    const { self, seeds, pause, isStopped } = this.#options
    const isLowest = seeds.every((seed) => seed >= self.brokerId)
    while (this.#adopted === undefined && !isStopped()) {
      if (isLowest) await this.#tryToForm()
      else if (!this.#isAdopting) await this.#lookAtSeeds()
      if (this.#adopted === undefined) await pause(RETRY_MS)
    }
  }

  /** A founder told this broker what was formed. Throws a sentence when this store is not part of it. */
  async accept(configuration: FirstConfiguration): Promise<void> {
    const { self, adopt } = this.#options
    if (this.#adopted?.clusterId === configuration.clusterId) return
    const isMember = configuration.voters.some(
      (voter) => voter.broker === self.brokerId && voter.store === self.storeId,
    )
    if (!isMember)
      throw new Error(
        `Store ${self.storeId} of broker ${self.brokerId} is not part of cluster ${configuration.clusterId}.`,
      )
    if (!self.empty || this.#isAdopting)
      throw new Error(`Broker ${self.brokerId} is not empty: it takes no other cluster.`)
    this.#isAdopting = true
    await adopt(configuration)
    this.#adopted = configuration
  }

  async #tryToForm(): Promise<void> {
    const { self, seeds, adopt, drawClusterId, mayFound } = this.#options
    const others = seeds.filter((seed) => seed !== self.brokerId)
    const answers = await Promise.all(others.map((seed) => this.#ask(seed)))
    const statuses = answers.filter((answer) => answer !== undefined)
    if (await this.#meetMembers(statuses)) return
    // A store that took the place of another one is part of a cluster already: it never founds one.
    if (statuses.length < others.length || !mayFound() || statuses.some(({ empty }) => !empty)) return
    const voters = [self, ...statuses].map((status) => ({ broker: status.brokerId, store: status.storeId }))
    const configuration = { clusterId: drawClusterId(), voters: voters.sort((a, b) => a.broker - b.broker) }
    this.#isAdopting = true
    await adopt(configuration)
    this.#adopted = configuration
  }

  async #lookAtSeeds(): Promise<void> {
    const { self, seeds } = this.#options
    const answers = await Promise.all(
      seeds.filter((seed) => seed !== self.brokerId).map((seed) => this.#ask(seed)),
    )
    await this.#meetMembers(answers.filter((answer) => answer !== undefined))
  }

  /**
   * A cluster exists, and this store is not in it: it must not vote, whatever its broker's id was. It joins without a vote and
   * learns what was decided: as a broker of which nobody knew before, or to be given the votes of the store that its id had
   * (consensus 1.16, 'Identity').
   */
  async #meetMembers(statuses: readonly SeedStatus[]): Promise<boolean> {
    const { self, adoptAsLearner } = this.#options
    const member = statuses.find((status) => status.clusterId !== '')
    if (member === undefined) return false
    const { clusterId, controllers } = member
    const isVoter = controllers?.some(
      ({ broker, store }) => broker === self.brokerId && store === self.storeId,
    )
    // A voter of a cluster that was formed just now is about to be told so.
    if (controllers === undefined || isVoter !== false || this.#isAdopting) return true
    const cluster = { clusterId, voters: controllers }
    this.#isAdopting = true
    await adoptAsLearner(cluster)
    this.#adopted = cluster
    return true
  }

  async #ask(seed: BrokerId): Promise<SeedStatus | undefined> {
    try {
      const status = await this.#options.ask(seed)
      if (status.brokerId === seed) return status
      this.#warn(`The address of broker ${seed} answers as broker ${status.brokerId}: check the seeds.`)
    } catch (error) {
      this.#warn(
        `Broker ${seed} does not answer yet (${error instanceof Error ? error.message : String(error)}).`,
      )
    }
    return undefined
  }

  #warn(sentence: string): void {
    if (this.#said.has(sentence) || this.#said.size >= 100) return
    this.#said.add(sentence)
    this.#options.warn(sentence)
  }
}

/**
 * Keeps telling the other voters of the first configuration until each has it: the broker that formed the cluster may have
 * stopped in the middle of telling, or have lost its disk. Ends when all have, or when the broker stops.
 */
export async function spreadConfiguration(
  configuration: FirstConfiguration,
  options: Pick<FormationOptions, 'self' | 'ask' | 'tell' | 'pause' | 'isStopped'>,
): Promise<void> {
  const waiting = new Map(configuration.voters.map((voter) => [voter.broker, voter.store]))
  waiting.delete(options.self.brokerId)
  for (
    let pauseMs = RETRY_MS;
    waiting.size > 0 && !options.isStopped();
    pauseMs = Math.min(10_000, pauseMs * 1.5)
  ) {
    for (const [broker, store] of waiting) {
      try {
        const status = await options.ask(broker)
        if (status.clusterId === configuration.clusterId) waiting.delete(broker)
        else if (status.clusterId !== '' || status.storeId !== store) waiting.delete(broker)
        else if (status.empty) await options.tell(broker, configuration)
      } catch {
        // Not there yet: asked again after the pause.
      }
    }
    if (waiting.size > 0) await options.pause(pauseMs)
  }
}
