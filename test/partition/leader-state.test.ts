import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupState, Inspector } from '../../src/partition/inspect.ts'
import { encodeJson } from '../../src/partition/forward.ts'
import { leaderState } from '../../src/partition/leader-state.ts'
import type { Router } from '../../src/partition/router.ts'
import { brokerId, groupId, type BrokerId } from '../../src/types/ids.ts'

const GROUP = groupId(1)
const SELF = brokerId(1)

/** Brokers 1 to 7 hold replicas; `leader` leads, and nobody else knows of it but whom `knows` names. */
async function found(leader: number, hint: number | undefined, knows: readonly number[] = []) {
  const asked: BrokerId[] = []
  const stateAt = (broker: BrokerId): GroupState => {
    asked.push(broker)
    const named = broker === leader || knows.includes(broker) ? { leader: brokerId(leader) } : {}
    return { answeredBy: broker, role: broker === leader ? 'leader' : 'retired', ...named } as GroupState
  }
  const router: Pick<Router, 'leaderOf' | 'at'> = {
    leaderOf: () => (hint === undefined ? undefined : brokerId(hint)),
    at: (broker) => Promise.resolve(encodeJson([stateAt(broker)])),
  }
  const inspector: Pick<Inspector, 'here'> = { here: () => stateAt(SELF) }
  const state = await leaderState(
    { group: GROUP, replicas: [1, 2, 3, 4, 5, 6, 7].map(brokerId) },
    { self: SELF, router: router as Router, inspector: inspector as Inspector },
  )
  return { answeredBy: state?.answeredBy, asked }
}

test('the leader is found though it is the last of many replicas and no other knows it', async () => {
  assert.equal((await found(7, undefined)).answeredBy, 7)
  assert.equal((await found(7, 3)).answeredBy, 7)
})

test('whom a replica names is asked next', async () => {
  assert.deepEqual((await found(6, undefined, [2])).asked, [1, 2, 6])
})

test('when none of them leads each is asked once', async () => {
  const { answeredBy, asked } = await found(9, undefined)
  assert.equal(answeredBy, undefined)
  assert.deepEqual(asked, [1, 2, 3, 4, 5, 6, 7])
})
