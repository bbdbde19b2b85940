import { SynodError } from '../../src/errors.ts'
import type { OperationsPort } from '../../src/gateway/ports.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import type { Operation, OperationSubject } from '../../src/types/operation.ts'
import type { Topic } from '../../src/types/topic.ts'

/** Operations that run until a test or a cancel ends them. */
export class FakeOperations implements OperationsPort {
  readonly all: Operation[] = []
  readonly activated: BrokerId[] = []
  readonly #brokers: readonly BrokerId[]

  constructor(brokers: readonly BrokerId[]) {
    this.#brokers = brokers
  }

  list(): readonly Operation[] {
    return this.all.toReversed()
  }

  find(id: string): Promise<Operation | undefined> {
    return Promise.resolve(this.all.find((operation) => operation.id === id))
  }

  moveReplicas(topic: Topic, partition: number, target: readonly BrokerId[]): Promise<Operation> {
    const { group } = topic.partitions[partition]!
    return this.#start({
      kind: 'move-replicas',
      topic: topic.name,
      topicId: topic.id,
      partition,
      group,
      target,
    })
  }

  drain(broker: BrokerId): Promise<Operation> {
    return this.#start({ kind: 'drain-broker', broker })
  }

  remove(broker: BrokerId, isForced: boolean): Promise<Operation> {
    return this.#start({ kind: 'remove-broker', broker, isForced })
  }

  activate(broker: BrokerId): Promise<void> {
    this.#check(broker)
    this.activated.push(broker)
    return Promise.resolve()
  }

  async cancel(id: string): Promise<Operation> {
    const at = this.all.findIndex((operation) => operation.id === id)
    const operation = this.all[at]
    if (operation === undefined) throw new SynodError('not-found', `There is no operation '${id}'.`)
    if (operation.state !== 'running') throw new SynodError('operation-ended', `Operation ${id} has ended.`)
    await Promise.resolve()
    const ended: Operation = {
      ...operation,
      state: 'cancelled',
      endedAtMs: 2_000,
      problem: 'It was cancelled.',
    }
    this.all[at] = ended
    return ended
  }

  async #start(subject: OperationSubject): Promise<Operation> {
    await Promise.resolve()
    if (subject.kind !== 'move-replicas') this.#check(subject.broker)
    const operation: Operation = {
      id: `op${this.all.length + 1}`,
      subject,
      state: 'running',
      stepsDone: 0,
      stepsTotal: 2,
      startedAtMs: 1_000,
      endedAtMs: undefined,
      problem: undefined,
    }
    this.all.push(operation)
    return operation
  }

  #check(broker: BrokerId): void {
    if (!this.#brokers.includes(broker)) throw new SynodError('not-found', `There is no broker '${broker}'.`)
  }
}
