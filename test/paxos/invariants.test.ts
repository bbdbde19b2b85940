import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { Core } from '../../src/paxos/core.ts'
import { FIRST_CHAIN } from '../../src/paxos/entry.ts'
import { learnChosen, learnChunk } from '../../src/paxos/learner.ts'
import type { SyncChunk } from '../../src/paxos/messages.ts'
import { DEFAULT_TUNING } from '../../src/paxos/options.ts'
import { Rules } from '../../src/paxos/rules.ts'
import { initialState, type Entry } from '../../src/paxos/state.ts'
import { slot } from '../../src/types/ids.ts'
import { ballot, LoneReplica, logOf } from './lone-replica.ts'
import { configurationOf, replicaOf } from './virtual-cluster.ts'

const A = ballot(1, 1)
const B = ballot(2, 3)
const LOG = logOf(['a', A], ['b', A], ['c', A])

function chunkOf(entries: readonly Entry[]): SyncChunk {
  return { kind: 'syncChunk', fromSlot: slot(1), entries, commit: slot(entries.length) }
}

class ForgetsTail extends Rules {
  override keptAboveLearned(): readonly Entry[] {
    return []
  }
}

/** The state of a replica that accepted all of `LOG` at ballot A. */
function coreOf(log = LOG): Core {
  const state = { ...initialState(configurationOf(3)), promised: B, acceptedBallot: A, through: slot(3) }
  const core = new Core(
    { self: replicaOf(2), tuning: DEFAULT_TUNING, checksum: crc32, bootNumber: 1 },
    { state, commit: slot(0), chainAtCommit: FIRST_CHAIN, tail: log },
    new Rules(),
  )
  core.begin({ nowMs: 1_000, random: 0 })
  return core
}

test('I5: a replica that would forget what it accepted above a chunk stops', () => {
  const state = { promised: A, acceptedBallot: A }
  const honest = new LoneReplica({ state, log: LOG })
  honest.receive(3, chunkOf(LOG.slice(0, 1)))
  assert.deepEqual([honest.paxos.commit, honest.paxos.through], [1, 3])
  const broken = new LoneReplica({ state, log: LOG, rules: new ForgetsTail() })
  assert.throws(() => broken.receive(3, chunkOf(LOG.slice(0, 1))), /I5: what stands above/)
})

test('I5: what stood on an entry that another one was chosen over is dropped without a complaint', () => {
  const other = logOf(['x', B])
  const replica = new LoneReplica({ state: { promised: B, acceptedBallot: A }, log: LOG })
  replica.receive(3, chunkOf(other))
  assert.deepEqual([replica.paxos.commit, replica.paxos.through], [1, 1])
  assert.deepEqual(replica.paxos.acceptedBallot, A)
})

test('I5: a replica whose accepted ballot changes while it learns stops', () => {
  class RaisesBallot extends Rules {
    core: Core | undefined
    override keptAboveLearned(above: readonly Entry[]): readonly Entry[] {
      if (this.core !== undefined) this.core.acceptedBallot = B
      return above
    }
  }
  const rules = new RaisesBallot()
  const core = Object.assign(coreOf(), { rules })
  rules.core = core
  assert.throws(() => learnChunk(core, chunkOf(LOG.slice(0, 2))), /I5: learning does not change/)
})

test('I6: commit does not move by the word of a ballot whose log is not held', () => {
  const core = coreOf()
  assert.throws(() => learnChosen(core, 2, B), /I6/)
  assert.equal(core.log.commit, 0)
  assert.equal(learnChosen(core, 2, A), true)
  assert.equal(learnChosen(core, 3, 'chunk'), true)
  assert.equal(core.log.commit, 3)
})
