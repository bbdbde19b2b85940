import { brokerId, groupId, storeId, topicId, type BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { Operation, OperationState, OperationSubject } from '../types/operation.ts'

/** Operations that run at once; more are refused as 'overloaded'. */
export const OPERATIONS_RUNNING_MAX = 1_000
/** Ended operations that are remembered; the oldest are forgotten first. */
export const OPERATIONS_KEPT_MAX = 1_000

/** An operation with what makes a request that comes twice recognisable. */
export interface OperationEntry {
  readonly operation: Operation
  readonly startedBy: string
}

export function operationId(number: number): string {
  return `op${number}`
}

/** The number in an operation's id: ids sort by it. */
export function operationNumber(id: string): number {
  return Number(id.slice(2))
}

/** The operations of the metadata in the order of their start. */
export class OperationTable {
  readonly #entries = new Map<string, OperationEntry>()
  readonly #running = new Map<string, Operation>()
  readonly #changed = new Set<string>()

  get(id: string): Operation | undefined {
    return this.#entries.get(id)?.operation
  }

  /** In the order of their start. */
  all(): readonly Operation[] {
    return [...this.#entries.values()].map(({ operation }) => operation)
  }

  running(): readonly Operation[] {
    return [...this.#running.values()]
  }

  startedBy(requestId: string): Operation | undefined {
    for (const { operation, startedBy } of this.#entries.values())
      if (startedBy === requestId) return operation
    return undefined
  }

  /** The operation that works on a broker now. */
  runningOn(broker: BrokerId): Operation | undefined {
    return this.running().find(({ subject }) => subject.kind !== 'move-replicas' && subject.broker === broker)
  }

  start(entry: OperationEntry): void {
    invariant(!this.#entries.has(entry.operation.id), 'An operation starts once.')
    this.#put(entry)
  }

  /** `stepsDone` never falls. */
  progress(id: string, stepsDone: number): void {
    const entry = this.#running.has(id) ? this.#entries.get(id) : undefined
    if (entry === undefined || stepsDone <= entry.operation.stepsDone) return
    const { stepsTotal } = entry.operation
    this.#put({
      ...entry,
      operation: { ...entry.operation, stepsDone: Math.min(stepsDone, stepsTotal) },
    })
  }

  end(
    id: string,
    ended: {
      readonly state: Exclude<OperationState, 'running'>
      readonly atMs: number
      readonly problem?: string | undefined
    },
  ): Operation {
    const entry = this.#entries.get(id)
    invariant(entry?.operation.state === 'running', `Operation ${id} runs when it ends.`)
    const { operation } = entry
    const stepsDone = ended.state === 'done' ? operation.stepsTotal : operation.stepsDone
    const { state, atMs, problem } = ended
    const after: Operation = { ...operation, state, stepsDone, endedAtMs: atMs, problem }
    this.#put({ ...entry, operation: after })
    this.#forgetOldest()
    return after
  }

  clear(): void {
    this.#entries.clear()
    this.#running.clear()
    this.#changed.clear()
  }

  /** As a restart reads it: in the order of their numbers. */
  restore(entry: OperationEntry): void {
    this.#put(entry)
    this.#changed.clear()
  }

  /** What changed since it was asked last; undefined: forgotten. */
  takeChanged(): readonly (readonly [id: string, entry: OperationEntry | undefined])[] {
    const changed = [...this.#changed].map((id) => [id, this.#entries.get(id)] as const)
    this.#changed.clear()
    return changed
  }

  #put(entry: OperationEntry): void {
    const { operation } = entry
    this.#entries.set(operation.id, entry)
    if (operation.state === 'running') this.#running.set(operation.id, operation)
    else this.#running.delete(operation.id)
    this.#changed.add(operation.id)
  }

  #forgetOldest(): void {
    let spare = this.#entries.size - this.#running.size - OPERATIONS_KEPT_MAX
    for (const [id, { operation }] of this.#entries) {
      if (spare <= 0) return
      if (operation.state === 'running') continue
      this.#entries.delete(id)
      this.#changed.add(id)
      spare--
    }
  }
}

/** What was written as JSON; brands come back. */
export function readOperation(stored: OperationEntry): OperationEntry {
  const { operation, startedBy } = stored
  const { endedAtMs, problem } = operation
  return {
    operation: { ...operation, subject: readSubject(operation.subject), endedAtMs, problem },
    startedBy,
  }
}

function readSubject(subject: OperationSubject): OperationSubject {
  if (subject.kind === 'replace-store' || subject.kind === 'unsafe-recover')
    return { ...subject, broker: brokerId(subject.broker), store: storeId(subject.store) }
  if (subject.kind !== 'move-replicas') return { ...subject, broker: brokerId(subject.broker) }
  const target = subject.target.map(brokerId)
  return { ...subject, topicId: topicId(subject.topicId), group: groupId(subject.group), target }
}
