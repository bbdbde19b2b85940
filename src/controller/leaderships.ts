import type { BrokerId } from '../types/ids.ts'
import type { Heartbeats } from '../partition/heartbeats.ts'
import type { LoopClock } from '../partition/loop.ts'
import type { Registry } from '../partition/registry.ts'
import type { LeadershipReport, Stray } from './balance.ts'
import type { Metadata } from './metadata.ts'

/** Strays in one report: the controller moves no more than ten a second in all. */
const STRAYS_MAX = 20

/** What this broker leads, for the controller: an answer of a few hundred bytes, however many partitions there are. */
export class Leaderships {
  readonly #parts: {
    readonly self: BrokerId
    readonly registry: Registry
    readonly heartbeats: Heartbeats
    readonly metadata: Metadata
    readonly clock: LoopClock
  }
  readonly #startedMs: number

  constructor(parts: {
    self: BrokerId
    registry: Registry
    heartbeats: Heartbeats
    metadata: Metadata
    clock: LoopClock
  }) {
    this.#parts = parts
    this.#startedMs = parts.clock.nowMs()
  }

  report(): LeadershipReport {
    const { registry, heartbeats, clock } = this.#parts
    const strays: Stray[] = []
    let ledCount = 0
    for (const { group, replica } of registry.partitions()) {
      if (!replica.isLeader) continue
      ledCount++
      if (strays.length >= STRAYS_MAX) continue
      const to = this.#waitingLeader(replica)
      if (to !== undefined) strays.push({ group, to })
    }
    return {
      upMs: clock.nowMs() - this.#startedMs,
      isUnfit: heartbeats.view?.selfDraining === true || heartbeats.view?.selfFull === true,
      ledCount,
      strays,
    }
  }

  /** The preferred leader of a group that this broker leads, when that is another one that could lead now. */
  #waitingLeader(replica: NonNullable<ReturnType<Registry['partition']>>['replica']): BrokerId | undefined {
    const { self, metadata, heartbeats, clock } = this.#parts
    const preferred = metadata.partition(replica.group)?.placement.replicas[0]
    if (preferred === undefined || preferred === self) return undefined
    if (!heartbeats.mayLead(preferred)) return undefined
    const progress = replica.paxos.progress(clock.moment())
    return progress.some(({ broker, inSync }) => broker === preferred && inSync) ? preferred : undefined
  }
}
