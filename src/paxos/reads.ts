import type { BrokerId } from '../types/ids.ts'
import { NEVER, type Core } from './core.ts'
import type { ReadAck, ReadProbe } from './messages.ts'
import { passesGate } from './acceptor.ts'
import type { Leadership } from './volatile.ts'

/** Reads that wait at once; more are refused. */
export const WAITING_READS_MAX = 4096

/** A new leader may not know what is chosen before all that it took over is (read barrier of consensus 1.11). */
export function hasPassedBarrier(core: Core): boolean {
  return core.leadership !== undefined && core.log.commit >= core.leadership.adopted
}

/** Takes commit now, and answers once a quorum has confirmed after that moment that nobody leads above this ballot. */
export function onReadIndex(core: Core, token: number): void {
  const { leadership, log } = core
  if (leadership === undefined || !hasPassedBarrier(core)) return refuse(core, token)
  if (core.voters.length === 1) {
    core.effects.push({ kind: 'readReady', token, slot: log.commit })
    return
  }
  const { reads } = leadership
  if (reads.waiting.length + reads.probed.length >= WAITING_READS_MAX) return refuse(core, token)
  reads.waiting.push({ token, slot: log.commit, arrivedAtMs: core.nowMs })
  if (reads.readId === 0) probe(core, leadership)
}

function refuse(core: Core, token: number): void {
  core.effects.push({ kind: 'readRefused', token })
}

/** One probe for all reads that arrived before it leaves. Its id is new, so no late answer to another one counts. */
function probe(core: Core, leadership: Leadership): void {
  const { reads } = leadership
  core.readCounter++
  reads.readId = core.readCounter
  reads.acknowledged.clear()
  reads.probed.push(...reads.waiting)
  reads.waiting = []
  reads.retryAtMs = core.nowMs + core.tuning.retransmitMs
  core.sendToVoters({ kind: 'readProbe', ballot: leadership.ballot, readId: reads.readId }, 0)
}

/** Only who has promised this ballot and none higher confirms it. */
export function onReadProbe(core: Core, from: BrokerId, message: ReadProbe): void {
  if (!passesGate(core, from, message.ballot, core.log.commit)) return
  core.send(from, { kind: 'readAck', ballot: message.ballot, readId: message.readId }, 0)
}

export function onReadAck(core: Core, from: BrokerId, message: ReadAck): void {
  const { leadership } = core
  if (leadership === undefined || !core.leads(message.ballot) || !core.voters.includes(from)) return
  const { reads } = leadership
  if (message.readId !== reads.readId || reads.readId === 0) return
  reads.acknowledged.add(from)
  if (reads.acknowledged.size + 1 < core.majority) return
  for (const { token, slot } of reads.probed) core.effects.push({ kind: 'readReady', token, slot })
  reads.probed = []
  reads.readId = 0
  reads.retryAtMs = NEVER
  if (reads.waiting.length > 0) probe(core, leadership)
}

/** A probe without a quorum is sent anew; a read that no quorum confirms for long is refused. */
export function readsTick(core: Core, leadership: Leadership): void {
  const { reads } = leadership
  if (core.nowMs < reads.retryAtMs) return
  const isOverdue = (read: { readonly arrivedAtMs: number }): boolean =>
    core.nowMs - read.arrivedAtMs >= core.tuning.undecidedMs
  for (const read of [...reads.probed, ...reads.waiting]) {
    if (isOverdue(read)) refuse(core, read.token)
  }
  reads.probed = reads.probed.filter((read) => !isOverdue(read))
  reads.waiting = reads.waiting.filter((read) => !isOverdue(read))
  if (reads.probed.length + reads.waiting.length > 0) return probe(core, leadership)
  reads.readId = 0
  reads.retryAtMs = NEVER
}
