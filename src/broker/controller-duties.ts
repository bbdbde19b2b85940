import { CONTROLLER_GROUP, type BrokerId } from '../types/ids.ts'
import type { BrokerConfig } from '../config.ts'
import type { LeadershipReport } from '../controller/balance.ts'
import { BalanceRounds } from '../controller/balance-rounds.ts'
import { Leaderships } from '../controller/leaderships.ts'
import type { MetadataGroup } from '../controller/metadata-group.ts'
import { OperationRounds } from '../controller/operation-rounds.ts'
import type { Logger } from '../observability/logger.ts'
import { decodeJson, encodeJson } from '../partition/forward.ts'
import type { Inspector } from '../partition/inspect.ts'
import { leaderState } from '../partition/leader-state.ts'
import type { LeaderMoves } from '../partition/move-leader.ts'
import type { Reassignments } from '../partition/reassignments.ts'
import type { Engine } from './engine.ts'

/** How long the controller waits for another broker while it balances leaders. */
const ASK_TIMEOUT_MS = 2_000
/** How long a command of its own, or a change of who votes on the metadata, may take. */
const COMMAND_TIMEOUT_MS = 5_000

export interface ControllerDutiesOptions {
  readonly config: BrokerConfig
  readonly engine: Engine
  readonly group: MetadataGroup
  readonly inspector: Inspector
  readonly moves: LeaderMoves
  readonly reassignments: Reassignments
  readonly logger: Logger
}

/** What a broker does by itself, without being asked, while it is the controller; each one stands by to be it. */
export class ControllerDuties {
  readonly leaderships: Leaderships
  readonly #options: ControllerDutiesOptions
  readonly #balance: BalanceRounds
  readonly #operations: OperationRounds

  constructor(options: ControllerDutiesOptions) {
    this.#options = options
    const { engine, group } = options
    this.leaderships = new Leaderships({
      self: engine.self.broker,
      registry: engine.registry,
      heartbeats: engine.heartbeats,
      metadata: group.metadata,
      clock: engine.loop.clock,
    })
    this.#balance = this.#buildBalance()
    this.#operations = this.#buildOperations()
  }

  start(): void {
    this.#operations.start()
    if (this.#options.config.leaderBalance === 'on') this.#balance.start()
  }

  stop(): void {
    this.#operations.stop()
    this.#balance.stop()
  }

  /** An outsider is as good as gone; a broker on another store is on its way to be given its votes. */
  #isAlive(broker: BrokerId): boolean {
    const { self, heartbeats } = this.#options.engine
    const present = this.#options.group.metadata.presentStore(broker)
    return broker === self.broker || heartbeats.isVoting(broker, present)
  }

  #buildBalance(): BalanceRounds {
    const { engine, group, moves, logger } = this.#options
    const { router, loop, host } = engine
    const self = engine.self.broker
    const { metadata } = group
    return new BalanceRounds({
      isController: () => group.isController,
      brokers: () =>
        metadata
          .brokers()
          .map(({ id }) => id)
          .filter((id) => this.#isAlive(id)),
      shares: () => new Map(metadata.brokers().map(({ id }) => [id, metadata.load(id).leaderCount])),
      ask: async (broker) => {
        if (broker === self) return this.leaderships.report()
        const answer = await router.at(
          broker,
          CONTROLLER_GROUP,
          'leaderships',
          encodeJson({}),
          ASK_TIMEOUT_MS,
        )
        return decodeJson(answer) as LeadershipReport
      },
      move: async ({ group: moved, from, to }) => {
        if (from === self) return moves.moveHere(moved, to)
        await moves.order(from, moved, to)
      },
      later: (run, delayMs) => loop.clock.later(run, delayMs),
      say: (facts, sentence) => logger.info(facts, sentence),
      fatal: (error) => host.fatal(error),
    })
  }

  #buildOperations(): OperationRounds {
    const { engine, group, inspector, reassignments, logger, config } = this.#options
    const { router, loop, host, wallMs } = engine
    const self = engine.self.broker
    return new OperationRounds({
      self,
      metadata: group.metadata,
      isController: () => group.isController,
      voters: () => group.replica.paxos.configuration.voters,
      submit: (command) => group.submit(command, COMMAND_TIMEOUT_MS),
      stateOf: (routed) => leaderState(routed, { self, inspector, router }),
      order: (routed, voters, after) => reassignments.order(routed, voters, after),
      orderOwn: (voters) => group.replica.reconfigure(voters, COMMAND_TIMEOUT_MS),
      isAlive: (broker) => this.#isAlive(broker),
      nowMs: () => loop.clock.nowMs(),
      wallMs,
      requestId: engine.drawId,
      replaceAfterMs: config.replaceAfterMs,
      later: (run, delayMs) => loop.clock.later(run, delayMs),
      say: (facts, sentence) => logger.info(facts, sentence),
      fatal: (error) => host.fatal(error),
    })
  }
}
