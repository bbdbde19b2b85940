import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BALLOT, type Ballot } from '../../src/paxos/ballot.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { turns } from '../support/virtual-clock.ts'
import { logOf, OnePartition } from './one-partition.ts'

const FIRST: Ballot = { config: 1, round: 1, broker: brokerId(2) }
const SECOND: Ballot = { config: 1, round: 2, broker: brokerId(3) }

function prepare(ballot: Ballot): Message {
  return { kind: 'prepare', ballot, accepted: NO_BALLOT, through: slot(0), commit: slot(0) }
}

function acceptSync(ballot: Ballot, values: readonly string[], commit: number): Message {
  const entries = logOf(ballot, values)
  return { kind: 'acceptSync', ballot, base: slot(0), chainAtBase: 0, entries, commit: slot(commit) }
}

test('what the disk still holds of a dead ballot is never served as chosen', async () => {
  const one = await OnePartition.open()
  await one.receive([2, prepare(FIRST)])
  await one.receive([2, acceptSync(FIRST, ['dead', 'dead too'], 0)])
  assert.equal(one.take('accepted').length, 1)
  await one.receive([3, prepare(SECOND)])
  one.sent.length = 0
  one.journal.pause()
  // The second ballot replaces both slots, and they are chosen; the own disk has yet to hear of it.
  await one.receive([3, acceptSync(SECOND, ['chosen', 'chosen too'], 2)])
  assert.equal(one.partition.replica.paxos.commit, 2)
  await one.receive([2, { kind: 'syncRequest', fromSlot: slot(1), resetSlot: slot(0), part: 0 }])
  const early = one.take('syncChunk')
  assert.deepEqual(early, [], 'Nothing can be served yet.')
  one.journal.resume()
  await turns(10)
  const chunks = one.take('syncChunk')
  const [chunk] = chunks
  assert.equal(chunks.length, 1)
  assert.deepEqual(
    chunk?.entries.map((entry) => entry.chain),
    logOf(SECOND, ['chosen', 'chosen too']).map((entry) => entry.chain),
  )
  assert.deepEqual(one.failures, [])
})
