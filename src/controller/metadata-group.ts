import { CONTROLLER_GROUP, type BrokerId, type Replica as ReplicaId } from '../types/ids.ts'
import {
  DEFAULT_TUNING,
  ENTRY_KIND,
  Replica,
  type PaxosTuning,
  type ReplicaHost,
  type StartOfGroup,
} from '../partition/group.ts'
import { encodeCommand, type Command } from './commands.ts'
import { Metadata } from './metadata.ts'
import type { MetadataApplied, MetadataEvent, MetadataOutcome } from './outcomes.ts'
import { WaitingRoom } from './waiting-room.ts'

/** The metadata is small and everybody needs it, so a replica counts as behind sooner (consensus 1.10). */
const TUNING: PaxosTuning = { ...DEFAULT_TUNING, maxLagSlots: 100 }

export interface MetadataGroupOptions {
  readonly self: ReplicaId
  readonly start: StartOfGroup
  readonly host: ReplicaHost
  /** What this broker has to do because of a command, in the order of the commands. */
  onEvent(event: MetadataEvent): void
  onLeaderChange(leader: BrokerId | undefined): void
}

/** This broker's replica of the controller's group: the metadata, and the way to change it where this broker leads. */
export class MetadataGroup {
  readonly metadata: Metadata
  readonly replica: Replica<MetadataApplied>
  readonly waiting = new WaitingRoom()
  readonly #host: ReplicaHost

  constructor(options: MetadataGroupOptions) {
    const { self, start, host } = options
    this.#host = host
    this.metadata = new Metadata()
    this.metadata.restore(start.rows, { slot: start.recovered.commit, nextOffset: 0, lastAppendedAtMs: 0 })
    this.waiting.applied(start.recovered.commit)
    this.replica = new Replica<MetadataApplied>({
      group: CONTROLLER_GROUP,
      self,
      recovered: start.recovered,
      logBytes: start.logBytes,
      machine: this.metadata,
      tuning: TUNING,
      host,
      listener: {
        stamp: () => {},
        applied: (_entry, { events }) => events.forEach((event) => options.onEvent(event)),
        turnEnded: () => this.waiting.applied(this.replica.appliedSlot),
        roleChanged: (_role, _ballot, leader) => options.onLeaderChange(leader),
      },
    })
  }

  /** Brokers that vote on the metadata: the seeds. */
  get voters(): readonly BrokerId[] {
    return this.replica.paxos.configuration.voters.map((voter) => voter.broker)
  }

  get isController(): boolean {
    return this.replica.isLeader
  }

  /** Proposes a command; only the controller can. Resolves with what it came to, and the slot that holds it. */
  async submit(
    command: Command,
    timeoutMs: number,
  ): Promise<{ readonly outcome: MetadataOutcome; readonly slot: number }> {
    const { result, slot } = await this.replica.propose({
      kind: ENTRY_KIND.DATA,
      recordCount: 0,
      body: encodeCommand(command),
      timeoutMs,
    })
    return { outcome: result.outcome, slot }
  }

  /** Waits until this broker knows what was decided up to `slot`. */
  reached(slot: number, timeoutMs: number): Promise<void> {
    const { clock } = this.#host.loop
    return this.waiting.reached(slot, timeoutMs, (run, delayMs) => clock.later(run, delayMs))
  }
}
