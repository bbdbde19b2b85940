import { CONTROLLER_GROUP, NO_SLOT, storeId, type BrokerId, type Replica } from '../types/ids.ts'
import type { BrokerConfig } from '../config.ts'
import { Formation, spreadConfiguration, type FirstConfiguration } from '../controller/formation.ts'
import type { StartOfGroup } from '../partition/group.ts'
import { initialState, type StateRecord } from '../paxos/state.ts'
import type { Replica as ReplicaId } from '../types/ids.ts'
import type { LogStore, RecoveredGroup } from '../storage/log-store.ts'
import type { Formation as ToldFormation, Hello, PeerAddress } from '../transport/transport.ts'

export interface MembershipOptions {
  readonly config: BrokerConfig
  readonly store: LogStore
  /** Asks the broker at an address who it is, before there is a cluster; rejects when nobody answers. */
  askHello(address: PeerAddress): Promise<Hello>
  /** Tells the broker at an address which cluster it belongs to. */
  tellFormation(address: PeerAddress, formation: ToldFormation): Promise<void>
  /** Who votes on the metadata, once this broker knows. */
  controllers(): readonly ReplicaId[] | undefined
  drawClusterId(): string
  warn(sentence: string): void
  isStopped(): boolean
  pause(delayMs: number): Promise<void>
}

/** Of the configuration that a cluster is formed with, and of one that only says whom a new broker learns from. */
const FIRST_NUMBER = 1
const LEARNER_NUMBER = 0

/**
 * How a store becomes part of a cluster: formed once out of empty stores, afterwards remembered. The order on disk is the
 * controller's group first, then the cluster's id, so that a store that names a cluster always has its group.
 */
export class Membership {
  /** Where the other founding brokers are. */
  readonly seedAddresses: ReadonlyMap<BrokerId, PeerAddress>
  readonly #options: MembershipOptions
  readonly #formation: Formation
  #first: StateRecord | undefined
  /** The store is read: only now it takes writes, and is known to hold no group yet. */
  #isStoreRead = false
  /** The store is read, and it did not take the place of another one, which was part of a cluster. */
  #mayFound = false

  constructor(options: MembershipOptions) {
    this.#options = options
    const { config } = options
    const others = config.seeds.filter((seed) => seed.id !== config.brokerId)
    this.seedAddresses = new Map(others.map((seed) => [seed.id, { host: seed.host, port: seed.port }]))
    this.#formation = new Formation({
      ...this.#calls(),
      seeds: [config.brokerId, ...this.seedAddresses.keys()],
      adopt: (configuration) => this.#adopt(configuration, FIRST_NUMBER),
      adoptAsLearner: (cluster) => this.#adopt(cluster, LEARNER_NUMBER),
      drawClusterId: options.drawClusterId,
      mayFound: () => this.#mayFound,
      warn: options.warn,
    })
  }

  /** `empty` only when a cluster may be founded with it. */
  hello(): Hello {
    const status = this.#status()
    return { ...status, empty: status.empty && this.#mayFound }
  }

  #status() {
    const { brokerId, storeId: ownStore, clusterId } = this.#options.store.identity
    const controllers = this.#options.controllers()
    return { brokerId, storeId: ownStore, clusterId, empty: clusterId === '', controllers }
  }

  /** Where other brokers reach this one: as the seeds say, else where it listens. */
  ownAddress(internalPort: number): PeerAddress {
    const { config } = this.#options
    const seed = config.seeds.find((each) => each.id === config.brokerId)
    return { host: seed?.host ?? config.internal.host, port: seed?.port ?? internalPort }
  }

  /** The controller's group as this store has it, once the store is part of a cluster; undefined when stopped before. */
  async join(recovered: readonly RecoveredGroup[]): Promise<StartOfGroup | undefined> {
    const { store } = this.#options
    const found = recovered.find(({ group }) => group === CONTROLLER_GROUP)
    this.#first = found?.state
    this.#isStoreRead = true
    this.#mayFound = (await store.notes.read('replaces')) === undefined
    if (store.identity.clusterId === '') await this.#formation.join()
    if (store.identity.clusterId === '') return undefined
    if (found === undefined)
      return {
        recovered: { state: this.#firstState(), commit: NO_SLOT, chainAtCommit: 0, tail: [] },
        rows: [],
        logBytes: 0,
      }
    return {
      recovered: {
        state: found.state,
        commit: found.applied.slot,
        chainAtCommit: found.chainAtApplied,
        tail: found.tail,
        damaged: found.damaged,
      },
      rows: await store.recoverRows(CONTROLLER_GROUP),
      logBytes: found.applied.logBytes,
    }
  }

  /** The broker that formed the cluster told this one; who was told too early is told again. */
  async accept(configuration: FirstConfiguration): Promise<void> {
    const { clusterId, brokerId } = this.#options.store.identity
    if (clusterId === configuration.clusterId) return
    if (clusterId !== '')
      throw new Error(`Broker ${brokerId} belongs to cluster ${clusterId} and takes no other.`)
    if (!this.#isStoreRead) throw new Error(`Broker ${brokerId} still reads its store.`)
    await this.#formation.accept(configuration)
  }

  /**
   * Makes sure, in the background, that every founding broker has the first configuration. Each of them does: the one that formed
   * the cluster may have lost its disk before it told all (broker seed 36994).
   */
  spread(): void {
    const { store } = this.#options
    const { configuration } = this.#firstState()
    // Whoever joined later, or knows of later voters, has nothing to tell of the first ones.
    if (configuration.number !== FIRST_NUMBER) return
    const voters = configuration.voters.map(voterOf)
    void spreadConfiguration({ clusterId: store.identity.clusterId, voters }, this.#calls())
  }

  #calls() {
    const { askHello, tellFormation, pause, isStopped } = this.#options
    return {
      self: this.#status(),
      ask: (seed: BrokerId) => askHello(this.#addressOf(seed)),
      tell: (seed: BrokerId, configuration: FirstConfiguration) =>
        tellFormation(this.#addressOf(seed), configuration),
      pause,
      isStopped,
    }
  }

  #addressOf(seed: BrokerId): PeerAddress {
    const address = this.seedAddresses.get(seed)
    if (address === undefined) throw new Error(`Broker ${seed} is not a seed.`)
    return address
  }

  async #adopt({ clusterId, voters }: FirstConfiguration, number: number): Promise<void> {
    const { store } = this.#options
    if (this.#first === undefined) {
      const replicas = voters.map((voter) => ({ broker: voter.broker, store: storeId(voter.store) }))
      const state = initialState({ number, voters: replicas, learners: [], fromSlot: NO_SLOT })
      await new Promise<void>((onDurable) =>
        store.append({ group: CONTROLLER_GROUP, writes: [{ kind: 'state', state }], onDurable }),
      )
      this.#first = state
    }
    await store.adoptCluster(clusterId)
  }

  #firstState(): StateRecord {
    if (this.#first === undefined)
      throw new Error('The store names a cluster but has no controller group: it is incomplete.')
    return this.#first
  }
}

function voterOf({ broker, store }: Replica): FirstConfiguration['voters'][number] {
  return { broker, store }
}
