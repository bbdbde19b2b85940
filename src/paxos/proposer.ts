import type { BrokerId, Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { sameBallot, type Ballot } from './ballot.ts'
import { NEVER, type Core } from './core.ts'
import type { Proposal, RefusalReason, Write } from './effects.ts'
import { chainEntry } from './entry.ts'
import { countInSync, findPeer } from './progress.ts'
import { countAccepted, noteCaughtUp, noteTold, pump, rewind } from './replication.ts'
import type { Accepted } from './messages.ts'
import { ENTRY_KIND, type Entry, type EntryKind } from './state.ts'
import type { Leadership } from './volatile.ts'

/**
 * Appends what fits, all of one event as one persist and one Accept per follower (consensus 1.7). What is refused was
 * not appended, for certain.
 */
export function onPropose(core: Core, proposals: readonly Proposal[]): void {
  const { leadership, log } = core
  if (leadership === undefined) return refuse(core, proposals, 'not-leader')
  if (leadership.transfer !== undefined) return refuse(core, proposals, 'transferring')
  if (log.endsWithStopSign) return refuse(core, proposals, 'reconfiguring')
  const inSyncMin = Math.max(core.tuning.minInSync ?? 0, core.majority)
  if (countInSync(core, leadership) < inSyncMin) return refuse(core, proposals, 'not-enough-in-sync')
  const writes: Write[] = []
  let place = 0
  for (; place < proposals.length; place++) {
    const proposal = proposals[place]
    if (proposal === undefined || !hasRoom(core, proposal)) break
    invariant(proposal.kind !== ENTRY_KIND.STOPSIGN, 'A stop-sign is ordered by reconfigure, never proposed.')
    const entry = nextEntry(core, leadership.ballot, proposal)
    log.append(entry)
    writes.push({ kind: 'entry', entry })
  }
  if (place > 0) {
    persistOwn(core, leadership, writes)
    for (let taken = 0; taken < place; taken++) {
      const token = proposals[taken]?.token
      invariant(token !== undefined, 'Each appended entry has its proposal.')
      core.effects.push({ kind: 'appended', token, slot: (log.through - place + 1 + taken) as Slot })
    }
    sendOwn(core, leadership)
  }
  if (place < proposals.length) refuse(core, proposals.slice(place), 'full')
}

/** An entry that stores nothing: nobody waits for it, only its place counts. */
export function proposeNoop(core: Core, leadership: Leadership): void {
  appendControl(core, leadership, ENTRY_KIND.NOOP, new Uint8Array(0))
}

/** An entry of the protocol's own, whatever the bounds say. */
export function appendControl(core: Core, leadership: Leadership, kind: EntryKind, body: Uint8Array): void {
  invariant(!core.log.endsWithStopSign, 'Nothing is proposed after a stop-sign.')
  const value = { kind, recordCount: 0, body, crc: core.checksum(body, 0) }
  const entry = nextEntry(core, leadership.ballot, value)
  core.log.append(entry)
  persistOwn(core, leadership, [{ kind: 'entry', entry }])
  sendOwn(core, leadership)
}

function persistOwn(core: Core, leadership: Leadership, writes: readonly Write[]): void {
  const persistId = core.persist(writes)
  leadership.ownWrites.push({ persistId, through: core.log.through })
}

function sendOwn(core: Core, leadership: Leadership): void {
  leadership.idleAtMs = NEVER
  if (leadership.undecidedAtMs === NEVER) leadership.undecidedAtMs = core.nowMs + core.tuning.undecidedMs
  for (const peer of leadership.peers) pump(core, leadership, peer)
  noteTold(core, leadership)
}

function refuse(core: Core, proposals: readonly Proposal[], reason: RefusalReason): void {
  for (const { token } of proposals) core.effects.push({ kind: 'refused', token, reason })
}

/** The caps bound what an AcceptSync has to carry. A lone entry always fits, whatever its size. */
function hasRoom(core: Core, proposal: Proposal): boolean {
  const { log, tuning } = core
  const count = log.through - log.commit
  if (count === 0) return true
  return (
    count < tuning.uncommittedSlotsMax &&
    log.uncommittedBytes + proposal.body.length <= tuning.uncommittedBytesMax
  )
}

function nextEntry(core: Core, origin: Ballot, proposal: Omit<Proposal, 'token'>): Entry {
  const { log } = core
  const { kind, recordCount, crc, body } = proposal
  const slot = (log.through + 1) as Slot
  return chainEntry(log.chainAt(log.through), { slot, origin, kind, recordCount, crc }, body, core.checksum)
}

/** A follower holds everything up to `through` durably at this ballot. */
export function onAccepted(core: Core, from: BrokerId, message: Accepted): void {
  const { leadership, log } = core
  core.noteCommit(from, message.commit)
  if (leadership === undefined || !sameBallot(message.ballot, leadership.ballot)) return
  const peer = findPeer(leadership, from)
  if (peer === undefined) return
  invariant(message.through <= log.through, 'Nobody accepts at a ballot what its leader did not send.')
  const moved = message.through > peer.accepted
  if (moved) {
    peer.accepted = message.through
    peer.activeAtMs = core.nowMs
    peer.isRewound = false
  }
  if (
    peer.state === 'pulling' &&
    (peer.accepted < log.start || log.commit - peer.accepted > core.tuning.maxLagSlots / 2)
  ) {
    // A late answer from before it fell behind. It counts, but does not end the catch-up.
  } else if (peer.state !== 'synced') {
    peer.state = 'synced'
    peer.next = peer.accepted
    peer.inflight.length = 0
    peer.inflightBytes = 0
  } else if (moved) {
    settleInflight(peer)
  } else if (message.through === peer.accepted && peer.inflight.length > 0 && !peer.isRewound) {
    // The same answer twice: it met a gap, something before was lost.
    rewind(peer)
  }
  if (moved) countAccepted(core, leadership)
  // What was counted may have ended this leadership together with its configuration.
  if (core.leadership !== leadership) return
  noteCaughtUp(core, leadership, peer)
  pump(core, leadership, peer)
}

function settleInflight(peer: Leadership['peers'][number]): void {
  for (
    let first = peer.inflight[0];
    first !== undefined && first.end <= peer.accepted;
    first = peer.inflight[0]
  ) {
    peer.inflight.shift()
    peer.inflightBytes -= first.bytes
  }
  if (peer.next < peer.accepted) peer.next = peer.accepted
}

/** The own part of a majority: what this leader appended is durable here (consensus 1.7; it counts only from now on). */
export function onOwnDurable(core: Core, persistId: number): void {
  const { leadership } = core
  if (leadership === undefined) return
  const { ownWrites } = leadership
  let moved = false
  for (let first = ownWrites[0]; first !== undefined && first.persistId <= persistId; first = ownWrites[0]) {
    leadership.ownAccepted = first.through
    ownWrites.shift()
    moved = true
  }
  if (moved) countAccepted(core, leadership)
}
