import type { RecoveredState } from '../paxos/state.ts'
import type { Row } from '../storage/log-store.ts'

/** What the control plane needs to host a group of its own: it sees the protocol only through this folder. */
export { DEFAULT_TUNING, type PaxosTuning } from '../paxos/options.ts'
export { ENTRY_KIND } from '../paxos/state.ts'
export { Replica } from './replica.ts'
export type { ReplicaHost } from './replica-host.ts'

/** How a group begins on this broker: created just now, or as the store had it. */
export interface StartOfGroup {
  readonly recovered: RecoveredState
  readonly rows: readonly Row[]
  /** Bytes of all bodies of the log so far. */
  readonly logBytes: number
}
