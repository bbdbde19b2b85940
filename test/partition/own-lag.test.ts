import assert from 'node:assert/strict'
import { test } from 'node:test'

import { DEFAULT_TUNING } from '../../src/paxos/options.ts'
import { OwnLag } from '../../src/partition/own-lag.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** A replica of which the test says what it has and what it has heard. */
function replica() {
  const clock = new VirtualClock()
  const state = { commit: slot(10), heard: 10, leader: brokerId(2), role: 'follower' as const }
  const paxos = {
    get commit() {
      return state.commit
    },
    leader: state.leader,
    role: state.role,
    progress: () => [
      {
        broker: brokerId(1),
        acceptedSlot: state.commit,
        lagSlots: Math.max(0, state.heard - state.commit),
        lagMs: 0,
        inSync: true,
        state: 'syncing' as const,
      },
    ],
  }
  const lag = new OwnLag(paxos, clock, { ...DEFAULT_TUNING, maxLagMs: 1_000, maxLagSlots: 100 })
  return { clock, state, lag }
}

test('a replica that lacks one and the same slot for longer than MaxLag is beyond it', () => {
  const { clock, state, lag } = replica()
  state.heard = 11
  lag.observe()
  clock.advance(1_000)
  assert.equal(lag.isBeyondMaxLag, false)
  clock.advance(1)
  assert.equal(lag.isBeyondMaxLag, true)
  state.commit = slot(11)
  assert.equal(lag.isBeyondMaxLag, false)
})

test('a replica that is always a little behind and keeps up is never beyond it', () => {
  const { clock, state, lag } = replica()
  for (let step = 0; step < 100; step++) {
    state.heard = state.commit + 3
    lag.observe()
    clock.advance(100)
    assert.equal(lag.isBeyondMaxLag, false)
    state.commit = slot(state.commit + 2)
  }
})

test('so many slots that MaxLag is passed need no time', () => {
  const { state, lag } = replica()
  state.heard = 110
  assert.equal(lag.isBeyondMaxLag, false)
  state.heard = 111
  assert.equal(lag.isBeyondMaxLag, true)
  lag.configure({ ...DEFAULT_TUNING, maxLagMs: 1_000, maxLagSlots: 200 })
  assert.equal(lag.isBeyondMaxLag, false)
})
