import type { BrokerId } from '../types/ids.ts'
import type { PartitionPlacement } from '../types/topic.ts'
import { SynodError } from '../errors.ts'
import type { Router } from './router.ts'
import { isDamagedHere } from './serve.ts'

/** One hop for a read that this broker cannot serve, beyond its own wait. */
export const READ_TIMEOUT_MS = 5_000

interface ReplicaCall<Answer> {
  readonly kind: string
  readonly body: Uint8Array
  readonly decode: (answer: Uint8Array) => Answer
  /** Some replica may know less than what is asked. */
  readonly isUseful: (answer: Answer) => boolean
}

/** What one disk cannot give back another can: asks the other replicas in turn; undefined when none can say. */
export async function askOthers<Answer>(
  router: Router,
  self: BrokerId,
  { group, replicas }: PartitionPlacement,
  call: ReplicaCall<Answer>,
): Promise<Answer | undefined> {
  for (const broker of replicas) {
    if (broker === self) continue
    try {
      const answer = call.decode(await router.at(broker, group, call.kind, call.body, READ_TIMEOUT_MS))
      if (call.isUseful(answer)) return answer
    } catch (error) {
      // The next one may be better off. What went wrong at the first one is what is told.
      if (!(error instanceof Error)) throw error
    }
  }
  return undefined
}

/** Something that this broker, or the leader that it asked, cannot read back from its disk. */
export function isUnreadable(error: unknown): boolean {
  return isDamagedHere(error) || (error instanceof SynodError && error.code === 'replica-damaged')
}

export function replicaDamaged(what: string, cause: unknown): SynodError {
  return new SynodError('replica-damaged', `${what} on this broker: its disk is damaged.`, {
    hint: 'Try again in a moment, or ask another broker; what is damaged is mended when another replica is in reach.',
    retryAfterMs: 1_000,
    cause,
  })
}

/** Whoever asked hears that this replica cannot say, not what its disk did. */
export async function unlessDamaged<T>(what: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw isDamagedHere(error) ? replicaDamaged(what, error) : error
  }
}
