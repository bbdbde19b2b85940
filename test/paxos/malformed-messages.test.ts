import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Entry } from '../../src/paxos/state.ts'
import { slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'

const A = ballot(1, 1)
const B = ballot(2, 3)

/** Entries of which the second does not continue the first. */
const TORN: readonly (readonly [what: string, entries: readonly Entry[]])[] = [
  ['a chain that breaks', [logOf(['a', A])[0]!, logOf(['x', A], ['b', A])[1]!]],
  ['a slot that is left out', [logOf(['a', A])[0]!, logOf(['a', A], ['b', A], ['c', A])[2]!]],
  ['an origin that falls', logOf(['a', B], ['b', A])],
]

for (const [what, entries] of TORN) {
  test(`entries with ${what} are ignored, in whichever message they come`, () => {
    const replica = new LoneReplica({ state: { promised: B, acceptedBallot: B } })
    const commit = slot(2)
    replica.receive(3, { kind: 'accept', ballot: B, previous: slot(0), entries, commit })
    replica.receive(3, { kind: 'acceptSync', ballot: B, base: slot(0), chainAtBase: 0, entries, commit })
    replica.receive(3, { kind: 'syncChunk', fromSlot: slot(1), entries, commit })
    assert.deepEqual([replica.paxos.through, replica.paxos.commit], [0, 0])
  })
}

test('a chosen entry that does not continue what is chosen here stops the replica: one of two disks is wrong', () => {
  const log = logOf(['a', A])
  const [, other] = logOf(['x', A], ['b', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log, commit: 1 })
  const chunk = { fromSlot: slot(2), entries: [other!], commit: slot(2) }
  assert.throws(() => replica.receive(3, { kind: 'syncChunk', ...chunk }), /I4: what is chosen elsewhere/)
})

test('a chosen entry that differs from the newest one that is chosen here stops the replica as well', () => {
  const log = logOf(['a', A])
  const replica = new LoneReplica({ state: { promised: A, acceptedBallot: A }, log, commit: 1 })
  const chunk = { fromSlot: slot(1), entries: logOf(['x', A]), commit: slot(1) }
  assert.throws(() => replica.receive(3, { kind: 'syncChunk', ...chunk }), /I4: a slot that is chosen/)
})
