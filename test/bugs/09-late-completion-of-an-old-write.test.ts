import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NO_BALLOT } from '../../src/paxos/ballot.ts'
import { slot } from '../../src/types/ids.ts'
import { ballot, logOf } from '../paxos/lone-replica.ts'
import { SlowDiskReplica } from './slow-disk-replica.ts'

/*
 * The ABA race of etcd raft (newStorageAppendRespMsg, testdata/async_storage_writes_append_aba_race.txt): the completion of
 * an old write confirmed entries that had been replaced since and stood at the same slots. A slow disk and two changes of
 * the leader are all it takes.
 */
test('bug 9: the late completion of an old write does not count for what replaced it at the same slots', () => {
  const slow = new SlowDiskReplica()
  slow.lead()
  slow.hear(3, { kind: 'accepted', ballot: slow.paxos.ballot, through: slot(0), commit: slot(0) })
  const oldWrite = slow.propose('a')
  // Replica 2 leads and puts its own value into slot 1. The disk of replica 1 has not moved.
  const other = ballot(2, 2)
  slow.hear(2, { kind: 'prepare', ballot: other, accepted: NO_BALLOT, through: slot(0), commit: slot(0) })
  const entries = logOf(['b', other])
  const sync = { base: slot(0), chainAtBase: 0, entries, commit: slot(0) }
  const [accepted] = slow.hear(2, { kind: 'acceptSync', ballot: other, ...sync })
  assert.equal(accepted?.kind, 'accepted')
  const replacement = slow.lastPersist
  assert.ok(oldWrite < replacement)
  assert.equal(
    slow.replica.gate,
    replacement,
    "The word about 'b' waits for the write of 'b', not for any of slot 1.",
  )
  slow.synced(oldWrite)
  assert.deepEqual(slow.applied, [])
  // Replica 1 leads again with 'b' in slot 1; replica 3 has it at the new ballot too.
  slow.lead(entries)
  const adoption = slow.lastPersist
  assert.ok(replacement < adoption)
  slow.hear(3, { kind: 'accepted', ballot: slow.paxos.ballot, through: slot(1), commit: slot(0) })
  for (const late of [oldWrite, replacement, adoption - 1]) {
    slow.synced(late)
    assert.deepEqual(slow.applied, [], `Persist ${late} says nothing about this ballot.`)
  }
  slow.synced(adoption)
  assert.deepEqual(slow.applied, ['b'])
})
