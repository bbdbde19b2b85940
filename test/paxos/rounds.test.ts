import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ROUND_JUMP_MAX } from '../../src/paxos/rounds.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica } from './lone-replica.ts'

const KNOWN = ballot(5, 3)

function follower(): LoneReplica {
  return new LoneReplica({ state: { promised: KNOWN, acceptedBallot: KNOWN } })
}

function prepareOf(round: number) {
  const nothing = { accepted: KNOWN, through: slot(0), commit: slot(0) }
  return { kind: 'prepare', ballot: ballot(round, 1), ...nothing } as const
}

test('a Prepare is promised up to the bound above the highest known round, and not beyond it', () => {
  const near = follower()
  assert.equal(near.receive(1, prepareOf(5 + ROUND_JUMP_MAX))[0]?.kind, 'promise')
  const far = follower()
  assert.deepEqual(far.receive(1, prepareOf(6 + ROUND_JUMP_MAX)), [])
  assert.deepEqual(far.written, [])
  assert.deepEqual(far.paxos.promised, KNOWN)
})

test('one message of the last round there is does not use the rounds up', () => {
  const replica = follower()
  replica.receive(1, prepareOf(2 ** 32 - 1))
  replica.receive(3, { kind: 'nack', promised: ballot(2 ** 32 - 1, 1) })
  const told = { configNumber: 1, attempt: 1, commit: slot(0), promised: ballot(2 ** 32 - 1, 1) }
  replica.receive(3, { kind: 'refuse', ...told })
  replica.step({
    kind: 'links',
    links: { selfStalled: false, selfDraining: false, selfFull: false, peers: wholePeers() },
  })
  for (let tries = 0; tries < 3 && replica.paxos.role === 'follower'; tries++) {
    replica.nowMs += 5_000
    replica.step({ kind: 'tick' })
    for (const peer of [1, 3])
      replica.receive(peer, { kind: 'endorse', configNumber: 1, attempt: tries + 1, commit: slot(0) })
  }
  assert.equal(replica.paxos.role, 'candidate')
  const { round } = replica.paxos.ballot
  assert.ok(round <= 6 + 3 * ROUND_JUMP_MAX, `Three messages lead to round ${round} at most.`)
})

test('a replica that was away for very many campaigns follows once it was told often enough', () => {
  const replica = follower()
  const round = 5 + 3 * ROUND_JUMP_MAX
  const answers = [1, 2, 3].map(() => replica.receive(1, prepareOf(round))[0]?.kind)
  assert.deepEqual(answers, [undefined, undefined, 'promise'])
  const none = { base: slot(0), chainAtBase: 0, entries: [], commit: slot(0) }
  replica.step({ kind: 'persisted', id: replica.persistId })
  const [answer] = replica.receive(1, { kind: 'acceptSync', ballot: ballot(round, 1), ...none })
  assert.equal(answer?.kind, 'accepted')
})

function wholePeers() {
  const links = new Set([1, 2, 3].map(brokerId))
  const view = { alive: true, stalled: false, draining: false, full: false, links }
  return new Map([1, 3].map((id) => [brokerId(id), { ...view, bootId: `${id}#0` }]))
}
