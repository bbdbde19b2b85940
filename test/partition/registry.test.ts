import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LinkView } from '../../src/paxos/link-view.ts'
import { Registry, WATCHERS_MAX, type AnyReplica } from '../../src/partition/registry.ts'
import { brokerId, groupId, type BrokerId } from '../../src/types/ids.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const GROUP = groupId(7)
const VIEW: LinkView = { selfStalled: false, selfDraining: false, selfFull: false, peers: new Map() }

/** A replica that only notes what it is told. */
function fakeReplica(group: number, voters: readonly number[]) {
  const log: string[] = []
  const replica = {
    group: groupId(group),
    isLeader: true,
    paxos: { concerns: (broker: BrokerId) => voters.includes(broker) },
    links: () => void log.push('links'),
    resign: () => void log.push('resign'),
    receive: (from: BrokerId) => void log.push(`from ${from}`),
  }
  return { log, replica: replica as unknown as AnyReplica }
}

function open() {
  const clock = new VirtualClock()
  const registry = new Registry()
  const next = (waitMs: number) =>
    registry.nextLeaderChange(GROUP, waitMs, (run, delayMs) => clock.later(run, delayMs))
  return { clock, registry, next }
}

test('messages reach their group; those of groups that are not here are dropped', () => {
  const { registry } = open()
  const { log, replica } = fakeReplica(7, [1, 2, 3])
  registry.addReplica(replica)
  registry.receive(brokerId(2), groupId(7), { kind: 'nack' } as never)
  registry.receive(brokerId(2), groupId(8), { kind: 'nack' } as never)
  assert.deepEqual(log, ['from 2'])
  registry.remove(GROUP)
  registry.receive(brokerId(2), groupId(7), { kind: 'nack' } as never)
  assert.deepEqual(log, ['from 2'])
})

test('only groups with a changed broker hear of it, all of them of a change of this broker itself', () => {
  const { registry } = open()
  const [a, b] = [fakeReplica(1, [1, 2, 3]), fakeReplica(2, [1, 4, 5])]
  for (const { replica } of [a, b]) registry.addReplica(replica)
  registry.linksChanged(VIEW, new Set([brokerId(4)]))
  assert.deepEqual([a.log, b.log], [[], ['links']])
  registry.linksChanged(VIEW, 'self')
  assert.deepEqual([a.log, b.log], [['links'], ['links', 'links']])
  // A group that comes later learns the present view at once.
  const late = fakeReplica(3, [6])
  registry.addReplica(late.replica)
  assert.deepEqual(late.log, ['links'])
})

test('all groups that this broker leads give up leadership when it drains', () => {
  const { registry } = open()
  const [a, b] = [fakeReplica(1, [1]), fakeReplica(2, [1])]
  ;(b.replica as { isLeader: boolean }).isLeader = false
  for (const { replica } of [a, b]) registry.addReplica(replica)
  registry.resignAll()
  assert.deepEqual([a.log, b.log], [['resign'], []])
})

test('who waits for a leader is woken by the next change, or when the time is over', async () => {
  const { clock, registry, next } = open()
  const woken: string[] = []
  const first = next(1_000).then(() => woken.push('change'))
  registry.leaderChanged(groupId(8))
  registry.leaderChanged(GROUP)
  await first
  registry.leaderChanged(GROUP)
  const second = next(1_000).then(() => woken.push('time'))
  clock.advance(1_000)
  await second
  assert.deepEqual([woken, clock.timerCount], [['change', 'time'], 0])
})

test(`more than ${WATCHERS_MAX} who wait for one leader wait out their time`, async () => {
  const { clock, registry, next } = open()
  let woken = 0
  const waiting = Array.from({ length: WATCHERS_MAX + 1 }, () => next(50).then(() => woken++))
  registry.leaderChanged(GROUP)
  await Promise.all(waiting.slice(0, WATCHERS_MAX))
  assert.equal(woken, WATCHERS_MAX)
  clock.advance(50)
  await Promise.all(waiting)
  assert.equal(clock.timerCount, 0)
})
