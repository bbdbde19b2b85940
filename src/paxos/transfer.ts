import type { BrokerId } from '../types/ids.ts'
import { sameBallot } from './ballot.ts'
import { campaign } from './campaign.ts'
import { isEligible, isLastChoice, mayLead } from './connectivity.ts'
import { NEVER, type Core } from './core.ts'
import type { TransferRefusal } from './effects.ts'
import type { TransferNow } from './messages.ts'
import { countInSync, findPeer } from './progress.ts'
import { proposeNoop } from './proposer.ts'
import type { Leadership } from './volatile.ts'

/** Part of the time in which a transfer waits for the other replicas too, for those who wait for all of them (acks=all). */
const PATIENCE = 0.2

/**
 * Begins to hand this leadership to another voter (consensus 1.13). From here on nothing is admitted, so that the target can
 * get hold of everything. Answers the token with `transferStarted` or `transferRefused` at once.
 */
export function onTransfer(core: Core, token: number, to: BrokerId): void {
  const { leadership } = core
  const reason = refusalOf(core, to)
  if (leadership === undefined || reason !== undefined) {
    core.effects.push({ kind: 'transferRefused', token, reason: reason ?? 'not-leader' })
    return
  }
  core.transferCount++
  leadership.transfer = {
    to,
    // As read ids: never used twice, not even after a start.
    id: (core.bootNumber % 2 ** 32) * 2 ** 20 + core.transferCount,
    deadlineMs: core.nowMs + core.tuning.transferMs,
    patienceEndMs: core.nowMs + core.tuning.transferMs * PATIENCE,
    sentThrough: undefined,
  }
  core.effects.push({ kind: 'transferStarted', token })
  advanceTransfer(core)
}

function refusalOf(core: Core, to: BrokerId): TransferRefusal | undefined {
  const { leadership } = core
  if (leadership === undefined) return 'not-leader'
  if (leadership.transfer !== undefined || core.log.endsWithStopSign) return 'under-way'
  return isReady(core, leadership, to) ? undefined : 'target-not-ready'
}

/** In sync, and a broker that may lead: one that drains, or waits for its disk or for room, would only have to give up again. */
function isReady(core: Core, leadership: Leadership, to: BrokerId): boolean {
  countInSync(core, leadership)
  return findPeer(leadership, to)?.isInSync === true && mayLead(core, to)
}

/** Tells the target once it holds everything; a target that learns of it earlier would begin without the last entries. */
export function advanceTransfer(core: Core): void {
  const { leadership, log } = core
  const transfer = leadership?.transfer
  if (leadership === undefined || transfer === undefined || transfer.sentThrough !== undefined) return
  if (findPeer(leadership, transfer.to)?.accepted !== log.through) return
  if (transfer.patienceEndMs !== NEVER && !isOnAll(core, leadership)) return
  transfer.patienceEndMs = NEVER
  transfer.sentThrough = log.through
  const { ballot } = leadership
  core.send(transfer.to, { kind: 'transferNow', ballot, lastSlot: log.through, transferId: transfer.id }, 0)
}

/** Every replica in sync has everything on disk, the own one included: nobody waits for an answer only this leader can give. */
function isOnAll(core: Core, leadership: Leadership): boolean {
  const { through } = core.log
  countInSync(core, leadership)
  return (
    leadership.ownAccepted === through &&
    leadership.peers.every((peer) => !peer.isInSync || peer.accepted === through)
  )
}

/** Gives up when the time is over, or when the target cannot take over any more: then this replica leads on. */
export function watchTransfer(core: Core): void {
  const { leadership } = core
  const transfer = leadership?.transfer
  if (leadership === undefined || transfer === undefined) return
  if (core.nowMs >= transfer.deadlineMs || !mayLead(core, transfer.to)) return resume(core, leadership)
  if (core.nowMs < transfer.patienceEndMs) return
  transfer.patienceEndMs = NEVER
  advanceTransfer(core)
}

/** A TransferNow may still be on its way. With one more entry in the log it matches nothing any more (raft-rs #234). */
function resume(core: Core, leadership: Leadership): void {
  const sentThrough = leadership.transfer?.sentThrough
  leadership.transfer = undefined
  if (core.rules.mustOutdateTransfer(sentThrough, core.log.through)) proposeNoop(core, leadership)
}

/**
 * Campaigns without asking first, because the leader itself wants it: only with the leader's very log, all of it on disk,
 * and with nothing promised since. Everything else is left to the leader, which resumes after a while.
 */
export function onTransferNow(core: Core, from: BrokerId, { ballot, lastSlot }: TransferNow): void {
  if (core.role !== 'follower' || core.status !== 'ok' || from !== ballot.broker) return
  if (!sameBallot(core.promised, ballot) || !sameBallot(core.acceptedBallot, ballot)) return
  if (!core.rules.matchesTransfer(lastSlot, core.log.through) || core.durablePersist < core.lastPersist)
    return
  if (isEligible(core) && !isLastChoice(core)) campaign(core)
}
