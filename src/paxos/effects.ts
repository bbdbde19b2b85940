import type { BrokerId, Replica, Slot } from '../types/ids.ts'
import type { Ballot } from './ballot.ts'
import type { Message } from './messages.ts'
import type {
  Checkpoint,
  Configuration,
  DamagedEntry,
  Entry,
  EntryKind,
  MachineFacts,
  Role,
  StateRecord,
} from './state.ts'
import type { LinkView } from './link-view.ts'
import type { Standing } from './standing.ts'

/** Time and chance enter the core only here. `nowMs` is monotonic; `random` is uniform in [0, 1). */
export interface Moment {
  readonly nowMs: number
  readonly random: number
}

/** A value to be chosen. `token` names it in the answer; the host draws it. */
export interface Proposal {
  readonly token: number
  readonly kind: EntryKind
  readonly recordCount: number
  readonly body: Uint8Array
  /** crc32 of the body. */
  readonly crc: number
}

/** What happens to a replica. The host feeds one at a time; none of them blocks. */
export type PaxosEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'message'; readonly from: BrokerId; readonly message: Message }
  /** All proposals of one event become one persist and one Accept. */
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  /** The persist with this id, and so every earlier one of this group, is durable. */
  | { readonly kind: 'persisted'; readonly id: number }
  /** The failure detector's view changed for some broker of this group. */
  | { readonly kind: 'links'; readonly links: LinkView }
  /** More brokers have answered this start, or one objects. The first one opens the gate, so nothing is voted before it. */
  | { readonly kind: 'standing'; readonly standing: Standing }
  | { readonly kind: 'readIndex'; readonly token: number }
  /** Another broker says that everything up to `commit` is chosen: a replica that nobody else told of it fetches it. */
  | { readonly kind: 'told'; readonly from: BrokerId; readonly commit: Slot }
  /** Operator or host wants this replica to give up leadership (disk stalled, draining). */
  | { readonly kind: 'resign' }
  /** Operator or host wants another voter to lead (consensus 1.13). `token` names it in the answer. */
  | { readonly kind: 'transfer'; readonly token: number; readonly to: BrokerId }
  /** The store cannot read these entries back as they were written, or the newest state record is gone from its journal. */
  | { readonly kind: 'damaged'; readonly entries: readonly DamagedEntry[]; readonly isStateLost: boolean }
  /**
   * The next configuration is to have these voters (consensus 1.12). `token` names it in the answer. With `after` it is meant for
   * the end of that configuration and no other, and comes then even when the voters stay: that makes sure that no order of
   * before can still be carried out.
   */
  | {
      readonly kind: 'reconfigure'
      readonly token: number
      readonly voters: readonly Replica[]
      readonly after?: number | undefined
    }
  /**
   * These replicas learn without a vote, perhaps this one: no part of consensus, so the host says it after each start and at
   * each change. A leader tells them when there is something to pull and keeps how far they are. At most LEARNERS_MAX.
   * `since`: number of the configuration beside whose voters they are meant; whoever votes in an earlier one only learns after it.
   */
  | {
      readonly kind: 'learners'
      readonly replicas: readonly Replica[]
      readonly since?: number | undefined
    }
  /**
   * The state machine has applied the TRIM entry at this slot: this is what it was then, its rows in parts (consensus 1.14).
   * To be told for each TRIM entry, soon after; one that is never told only keeps the log longer.
   */
  | {
      readonly kind: 'checkpointed'
      readonly slot: Slot
      readonly machine: MachineFacts
      readonly parts: readonly Uint8Array[]
    }

/** One durable fact. Inside a persist the state record, if any, comes first. */
export type Write =
  | { readonly kind: 'state'; readonly state: StateRecord }
  /** An entry at its slot; drops every entry above that slot. */
  | { readonly kind: 'entry'; readonly entry: Entry }
  /** A whole copy of a damaged entry that the log holds: takes its place and cuts nothing. A persist of its own. */
  | { readonly kind: 'repair'; readonly entry: Entry }
  /** One part of the rows of the checkpoint at `slot`; alone in its persist, before the state record that names it. */
  | RowsWrite

export interface RowsWrite {
  readonly kind: 'rows'
  readonly slot: Slot
  readonly part: number
  readonly bytes: Uint8Array
}

/**
 * `transferring`: another voter is about to lead; the same proposal is welcome there, or here when that fails.
 * `reconfiguring`: another configuration is about to begin; the same proposal is welcome to its leader.
 */
export type RefusalReason =
  'not-leader' | 'not-enough-in-sync' | 'full' | 'transferring' | 'reconfiguring' | 'stopping'

/** `target-not-ready`: not in sync, not heard, draining, or its disk is stalled. */
export type TransferRefusal = 'not-leader' | 'under-way' | 'target-not-ready'

/**
 * `outdated`: another configuration is in force than the one that was to end. `under-way`: a transfer or another change is. `learner-behind`: a new voter does not learn, or is more than half of MaxLag
 * behind. `not-enough-in-sync`: the old or the new voters would have no majority in sync. `invalid`: not one to seven
 * different brokers and stores.
 */
export type ReconfigureRefusal =
  'not-leader' | 'outdated' | 'under-way' | 'learner-behind' | 'not-enough-in-sync' | 'invalid'

/**
 * What the host must do, in order. Duties: (H1) persists of one group become durable in the order of their ids, each as
 * a whole; (H2) a `send` leaves only when every persist with an id <= `after` is durable; (H3) after a crash any suffix
 * of persists may be missing, and no `send` that waited for a lost one has left.
 */
export type Effect =
  /** Ids count up by one per group from 1 after each start. */
  | { readonly kind: 'persist'; readonly id: number; readonly writes: readonly Write[] }
  | { readonly kind: 'send'; readonly to: BrokerId; readonly message: Message; readonly after: number }
  /** Chosen entries, in slot order without gap; each slot once per start. */
  | { readonly kind: 'apply'; readonly entries: readonly Entry[] }
  /** The proposal stands at this slot of this ballot's log. It is chosen once an entry of that origin is applied there. */
  | { readonly kind: 'appended'; readonly token: number; readonly slot: Slot }
  /** Nothing was appended, for certain. */
  | { readonly kind: 'refused'; readonly token: number; readonly reason: RefusalReason }
  /** Everything up to `slot` was chosen before the read arrived; answer when it is applied. */
  | { readonly kind: 'readReady'; readonly token: number; readonly slot: Slot }
  | { readonly kind: 'readRefused'; readonly token: number }
  /** Nothing is admitted until the target leads or `transferMs` have passed. */
  | { readonly kind: 'transferStarted'; readonly token: number }
  | { readonly kind: 'transferRefused'; readonly token: number; readonly reason: TransferRefusal }
  /**
   * The configuration with these voters is in force: its stop-sign is chosen. Comes later than the event, from whoever was
   * asked; not at all when another leader's log without the stop-sign prevailed, so the host waits for a time only.
   */
  | { readonly kind: 'reconfigured'; readonly token: number; readonly number: number }
  /** The log has no stop-sign by this order, for certain. */
  | { readonly kind: 'reconfigureRefused'; readonly token: number; readonly reason: ReconfigureRefusal }
  /** This replica has taken up a configuration; its voters may be other brokers than those it knew links of. */
  | { readonly kind: 'configured'; readonly configuration: Configuration }
  /**
   * Read chosen entries (fromSlot .. at most `commit`) from the store and send them as a SyncChunk. Like a `send` it waits for
   * every persist with an id <= `after`: until then the store may still hold what they replace, which was never chosen.
   */
  | {
      readonly kind: 'serve'
      readonly to: BrokerId
      readonly fromSlot: Slot
      readonly commit: Slot
      readonly after: number
    }
  /** Read this entry from the store and send it as a RepairResponse, if origin and chain value are these. */
  | {
      readonly kind: 'serveRepair'
      readonly to: BrokerId
      readonly slot: Slot
      readonly origin: Ballot
      readonly chain: number
    }
  /** As `serve`, for one part of the checkpoint's rows, sent as a SyncReset. Without parts: one message without rows. */
  | {
      readonly kind: 'serveReset'
      readonly to: BrokerId
      readonly checkpoint: Checkpoint
      readonly part: number
      readonly after: number
    }
  /** The log goes on from this checkpoint: the state machine becomes what it was then. Entries from its slot on follow. */
  | { readonly kind: 'reset'; readonly checkpoint: Checkpoint; readonly parts: readonly Uint8Array[] }
  | {
      readonly kind: 'role'
      readonly role: Role
      readonly ballot: Ballot
      readonly leader: BrokerId | undefined
    }
