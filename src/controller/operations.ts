import type { BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Operation } from '../types/operation.ts'
import type { Topic } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { ControllerCalls } from './controller-calls.ts'
import type { MetadataGroup } from './metadata-group.ts'
import type { OperationWish } from './operation-schema.ts'
import type { ControllerRequest } from './requests.ts'

/** Long changes as any broker offers them: seen in its own copy of the metadata, started and cancelled at the controller. */
export class Operations {
  readonly #group: MetadataGroup
  readonly #calls: ControllerCalls
  readonly #drawRequestId: () => string

  constructor(options: { group: MetadataGroup; calls: ControllerCalls; drawRequestId: () => string }) {
    this.#group = options.group
    this.#calls = options.calls
    this.#drawRequestId = options.drawRequestId
  }

  /** The newest first, as this broker knows them. */
  list(): readonly Operation[] {
    return this.#group.metadata.operations().toReversed()
  }

  /** One that was started on another broker a moment ago is asked for. */
  async find(id: string): Promise<Operation | undefined> {
    const known = this.#group.metadata.operation(id)
    if (known !== undefined) return known
    await this.#calls.catchUp()
    return this.#group.metadata.operation(id)
  }

  moveReplicas(topic: Topic, partition: number, target: readonly BrokerId[]): Promise<Operation> {
    return this.#start({
      kind: 'move-replicas',
      topic: topic.name,
      topicId: topic.id,
      partition,
      target,
    })
  }

  drain(broker: BrokerId): Promise<Operation> {
    return this.#start({ kind: 'drain-broker', broker })
  }

  remove(broker: BrokerId, isForced: boolean): Promise<Operation> {
    return this.#start({ kind: 'remove-broker', broker, isForced })
  }

  /** A drained broker may hold replicas again. */
  async activate(broker: BrokerId): Promise<void> {
    await this.#calls.change({ kind: 'activateBroker', broker })
  }

  cancel(id: string): Promise<Operation> {
    return this.#change({ kind: 'cancelOperation', operation: id })
  }

  #start(wish: OperationWish): Promise<Operation> {
    return this.#change({ kind: 'startOperation', requestId: this.#drawRequestId(), wish })
  }

  async #change(request: ControllerRequest): Promise<Operation> {
    const { operation: id } = await this.#calls.change(request)
    invariant(id !== undefined, 'A request about an operation is answered with one.')
    const operation = this.#group.metadata.operation(id)
    if (operation !== undefined) return operation
    throw new SynodError('not-found', `Operation ${id} has ended and is forgotten.`)
  }
}
