import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import type { PaxosEvent } from '../../src/paxos/effects.ts'
import type { LinkView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { LoneReplica } from '../paxos/lone-replica.ts'

const EVERYBODY = [1, 2, 3].map(brokerId)

/** Replica 1 of three with a disk that finishes a write when the test says so; the test plays the other two. */
export class SlowDiskReplica {
  readonly replica = new LoneReplica({ self: 1 })
  readonly applied: string[] = []
  /** The last persist that it asked for. */
  lastPersist = 0

  get paxos(): LoneReplica['paxos'] {
    return this.replica.paxos
  }

  step(event: PaxosEvent): void {
    this.replica.step(event)
    this.lastPersist = Math.max(this.lastPersist, this.replica.persistId)
    for (const { body } of this.replica.applied) this.applied.push(Buffer.from(body).toString())
  }

  hear(from: number, message: Message): readonly Message[] {
    this.step({ kind: 'message', from: brokerId(from), message })
    return this.replica.sentTo(from)
  }

  /** The write with this id, and every one before it, is on the disk. */
  synced(id = this.lastPersist): void {
    this.step({ kind: 'persisted', id })
  }

  /** Appends a value and returns the id of its write. */
  propose(text: string): number {
    const body = new TextEncoder().encode(text)
    const proposal = { token: 1, kind: ENTRY_KIND.DATA, recordCount: 1, body, crc: crc32(body) }
    this.step({ kind: 'propose', proposals: [proposal] })
    assert.ok(this.replica.persistId > 0, 'It leads and appends.')
    return this.replica.persistId
  }

  /** Leads at a ballot of its own with the help of replica 3, whose log is `theirs`. Its promise is synced for it. */
  lead(theirs: readonly Entry[] = []): void {
    this.step({ kind: 'links', links: linksTo([]) })
    this.step({ kind: 'links', links: linksTo([2]) })
    this.replica.nowMs = Math.max(this.replica.nowMs, this.paxos.deadlineMs ?? 0)
    this.step({ kind: 'tick' })
    const [canvass] = this.replica.sentTo(3)
    // A group that nobody has led yet begins without asking.
    if (canvass?.kind === 'canvass') {
      const { attempt } = canvass
      this.hear(3, { kind: 'endorse', configNumber: 1, attempt, commit: slot(0) })
    }
    assert.equal(this.paxos.role, 'candidate')
    this.synced()
    const through = slot(theirs.length)
    const accepted = theirs.at(-1)?.origin ?? NO_BALLOT
    const { promised: ballot } = this.paxos
    const log = { accepted, through, commit: slot(0), base: through, suffix: [] }
    this.hear(3, { kind: 'promise', ballot, ...log, nonVoting: false, tooFar: false })
    assert.equal(this.paxos.role, 'leader')
  }
}

/** All are there but the dead. */
function linksTo(dead: readonly number[]): LinkView {
  const links = new Set(EVERYBODY.filter((id) => !dead.includes(id)))
  const peers = new Map(
    EVERYBODY.filter((id) => id !== 1).map((id) => {
      const alive = !dead.includes(id)
      return [id, { alive, bootId: `${id}`, stalled: false, draining: false, full: false, links }]
    }),
  )
  return { selfStalled: false, selfDraining: false, selfFull: false, peers }
}
