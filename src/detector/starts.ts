import type { StoreId } from '../types/ids.ts'
import type { StoreStart } from './heartbeat.ts'

/** Starts of a store that are noted and told, the newest ones. */
export const STARTS_MAX = 8

/** What a broker notes of the starts of its store (`starts.json`). */
export interface NotedStarts {
  readonly storeId: StoreId
  readonly starts: readonly StoreStart[]
}

/**
 * The starts to note before this one is told to anybody: those noted before, and this one. A note of another store, or one
 * that is not as it should be, is none: then this start stands alone, and is held against everything that was ever seen.
 */
export function withStart(noted: unknown, storeId: StoreId, start: StoreStart): NotedStarts {
  const { storeId: owner, starts: list } = (noted ?? {}) as Record<string, unknown>
  const before = owner === storeId && Array.isArray(list) && list.every(isStart) ? list : []
  return { storeId, starts: [...before, start].slice(-STARTS_MAX) }
}

/** Whether an earlier start found more than the last one: what a start finds is durable before it is noted. */
export function hasShrunk(starts: readonly StoreStart[]): boolean {
  const last = starts.at(-1)
  return last !== undefined && starts.some(({ recovered }) => recovered > last.recovered)
}

function isStart(value: unknown): value is StoreStart {
  const { bootId, recovered } = (value ?? {}) as Record<string, unknown>
  return typeof bootId === 'string' && Number.isSafeInteger(recovered)
}
