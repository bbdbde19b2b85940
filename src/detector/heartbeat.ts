import type { BrokerId } from '../types/ids.ts'

/** Sent to every peer each 100 ms, whatever the number of groups (consensus 1.9). */
export interface Heartbeat {
  /** Drawn at each start of the process. */
  readonly bootId: string
  readonly sequence: number
  /** Highest sequence received from the addressee, 0 when none: proves the link works both ways. */
  readonly acknowledged: number
  /** Brokers with which the sender has a link that works both ways: it hears them, and they acknowledge it. */
  readonly heard: readonly BrokerId[]
  readonly stalled: boolean
  readonly draining: boolean
  /** Highest durable journal number. */
  readonly durableLsn: number
}
