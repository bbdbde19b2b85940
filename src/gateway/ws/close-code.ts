import { SynodError } from '../../errors.ts'

/**
 * Close codes: 4100-4199 ask to reconnect with backoff, 4500-4599 not to. FAILED when trying again may help, ENDED when it
 * does not (the topic was deleted, the offset is trimmed), GOING_AWAY when this broker stops, SILENT when nothing came from
 * the client and nothing left for it.
 */
export const CLOSE_CODE = {
  GOING_AWAY: 1001,
  FAILED: 4100,
  SILENT: 4101,
  BAD_FRAME: 4500,
  SUBPROTOCOL: 4504,
  TOO_MANY_SUBSCRIPTIONS: 4505,
  ENDED: 4507,
} as const

/** With what to close the simple form after its one subscription failed. */
export function closeCodeOf(error: unknown): number {
  if (!(error instanceof SynodError)) return CLOSE_CODE.FAILED
  if (error.code === 'draining') return CLOSE_CODE.GOING_AWAY
  return error.code === 'internal' ? CLOSE_CODE.FAILED : CLOSE_CODE.ENDED
}
