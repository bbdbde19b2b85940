import type { OperationsPort, Ports } from '../../src/gateway/ports.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import type { Operation } from '../../src/types/operation.ts'
import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import type { SimulatedBroker } from './broker.ts'
import type { Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { sleep } from './scene.ts'

/** Replicas of a partition that an operator asks for, at most. */
const REPLICAS_MAX = 5
const TAKE_BACK_MS = 200

/** Moves replicas, drains brokers and takes them back, removes them, and cancels what is under way; each request is sent once. */
export class Operator {
  readonly #clients: Clients
  readonly #random: Random
  #isResting = false
  #keepsUntilMs = 0
  /** Operations that were answered as begun. */
  readonly #begun = new Map<string, Operation>()

  constructor(clients: Clients, random: Random) {
    this.#clients = clients
    this.#random = random
  }

  async run(): Promise<void> {
    const { scene } = this.#clients
    for (;;) {
      await sleep(scene, this.#random.exponential(scene.swarm.operateEveryMs))
      if (this.#isResting) return this.#takeBack()
      await this.#operate(this.#clients.anyBroker(this.#random))
    }
  }

  /**
   * Takes no broker away for now. A controller that does not miss a lost store yet would let others go, until the lost one has half
   * of the votes.
   */
  keepFor(durationMs: number): void {
    this.#keepsUntilMs = this.#clients.scene.queue.nowMs + durationMs
  }

  /** Begins nothing more. */
  rest(): void {
    this.#isResting = true
  }

  /** What was begun has ended, as every broker knows. */
  finish(): void {
    const { scene } = this.#clients
    for (const broker of scene.brokers.values()) {
      const known = new Map(
        broker.process?.composition.ports.operations.list().map((each) => [each.id, each]),
      )
      for (const { id, subject } of this.#begun.values()) {
        const state = known.get(id)?.state
        scene.judge.demand(
          state !== undefined && state !== 'running',
          'operation',
          () => `${id} (${subject.kind}) was begun; broker ${broker.id} says that it is ${state}`,
        )
      }
    }
  }

  /** Drained brokers are of use again, or partitions of as many replicas as there are brokers could not be made. */
  async #takeBack(): Promise<void> {
    const { scene } = this.#clients
    for (;;) {
      const at = this.#clients.anyBroker(this.#random)
      const known = [...scene.brokers.values()].flatMap(
        ({ process, isReady }) =>
          (isReady ? process?.composition.control?.group.metadata.brokers() : undefined) ?? [],
      )
      // Some brokers may have not heard of the last drain yet (seed 83303).
      const drained = known.find(({ membership }) => membership === 'draining')
      if (known.length > 0 && drained === undefined) return
      if (drained !== undefined)
        await this.#ask(at, `activate ${drained.id}`, ({ operations }) => activate(operations, drained.id))
      await sleep(scene, TAKE_BACK_MS)
    }
  }

  async #operate(at: SimulatedBroker): Promise<void> {
    const random = this.#random
    const broker = random.pick([...this.#clients.scene.brokers.keys()])
    const kind = random.integer(10)
    if (kind < 4) await this.#move(at)
    else if (kind < 6 && this.#clients.scene.queue.nowMs < this.#keepsUntilMs) return
    else if (kind === 4) await this.#ask(at, `drain ${broker}`, ({ operations }) => operations.drain(broker))
    else if (kind === 5) await this.#remove(at, broker)
    else if (kind < 8)
      await this.#ask(at, `activate ${broker}`, ({ operations }) => activate(operations, broker))
    else await this.#cancel(at)
  }

  async #move(at: SimulatedBroker): Promise<void> {
    const random = this.#random
    const topic = await this.#clients.anyTopic(random)
    if (topic === undefined) return
    const partition = random.integer(topic.partitions.length)
    const target = this.#target()
    await this.#ask(at, `move ${topic.name}/${partition} to ${target.join(', ')}`, ({ operations }) =>
      operations.moveReplicas(topic, partition, target),
    )
  }

  #target(): readonly BrokerId[] {
    const { brokers, replicasMin } = this.#clients.scene
    const random = this.#random
    const left = [...brokers.keys()]
    const count = Math.max(replicasMin, 1 + random.integer(Math.min(left.length, REPLICAS_MAX)))
    return Array.from(
      { length: Math.min(count, left.length) },
      () => left.splice(random.integer(left.length), 1)[0]!,
    )
  }

  /** Never where a disk rots: the broker that goes may hold the last whole copy of what is damaged. */
  async #remove(at: SimulatedBroker, broker: BrokerId): Promise<void> {
    if (this.#clients.scene.victims.size > 0) return
    await this.#ask(at, `remove ${broker}`, ({ operations }) => operations.remove(broker, false))
  }

  async #cancel(at: SimulatedBroker): Promise<void> {
    await this.#ask(at, 'cancel', ({ operations }) => {
      const running = operations.list().filter(({ state }) => state === 'running')
      return running.length === 0
        ? Promise.resolve(undefined)
        : operations.cancel(this.#random.pick(running).id)
    })
  }

  async #ask(
    at: SimulatedBroker,
    what: string,
    call: (ports: Ports) => Promise<Operation | undefined>,
  ): Promise<void> {
    const { trace, queue } = this.#clients.scene
    const note = (how: string): void =>
      trace.note(TRACED.CLIENT, at.id, how.length, queue.nowMs, () => `${what} at broker ${at.id}: ${how}`)
    try {
      const operation = await at.ask(call)
      if (operation !== undefined) this.#begun.set(operation.id, operation)
      note(operation === undefined ? 'done' : `${operation.id} is ${operation.state}`)
    } catch (error) {
      note(refusalOf(error).code)
    }
  }
}

async function activate(operations: OperationsPort, broker: BrokerId): Promise<undefined> {
  await operations.activate(broker)
}
