import { LANES, type LaneName } from './limits.ts'

/** What one lane kind has carried, over all peers and both directions. */
export interface LaneCounters {
  framesIn: number
  framesOut: number
  bytesIn: number
  bytesOut: number
  /** Frames given up before they left: their queue was full, or their lane was down. */
  dropped: number
}

/** All numbers count up from the start of the process. */
export interface TransportCounters {
  readonly lanes: Readonly<Record<LaneName, LaneCounters>>
  /** Proofs and codes that did not verify. */
  authenticationFailures: number
  /** Frames that this side does not understand; each closed its lane. */
  malformedFrames: number
  /** Frames dropped because a body did not have its checksum. */
  damagedFrames: number
  /** Messages that were too large for a frame and never left. */
  oversizedFrames: number
  lanesOpened: number
  lanesLost: number
}

export function newCounters(): TransportCounters {
  const lane = (): LaneCounters => ({ framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0, dropped: 0 })
  return {
    lanes: { ctl: lane(), data: lane(), bulk: lane(), fwd: lane() },
    authenticationFailures: 0,
    malformedFrames: 0,
    damagedFrames: 0,
    oversizedFrames: 0,
    lanesOpened: 0,
    lanesLost: 0,
  }
}

/** A copy that does not change any more. */
export function copyCounters(counters: TransportCounters): TransportCounters {
  const copy = newCounters()
  for (const lane of LANES) Object.assign(copy.lanes[lane], counters.lanes[lane])
  return { ...counters, lanes: copy.lanes }
}
