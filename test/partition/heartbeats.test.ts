import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_DETECTOR_TUNING, Detector } from '../../src/detector/detector.ts'
import type { Heartbeat } from '../../src/detector/heartbeat.ts'
import { Witness } from '../../src/detector/witness.ts'
import type { LinkView } from '../../src/paxos/link-view.ts'
import { changedBrokers, Heartbeats } from '../../src/partition/heartbeats.ts'
import { Registry, type AnyReplica } from '../../src/partition/registry.ts'
import type { Standing } from '../../src/paxos/standing.ts'
import { brokerId, groupId, storeId, type BrokerId } from '../../src/types/ids.ts'
import { sampleReport } from '../support/sample-messages.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const [ONE, TWO, THREE] = [brokerId(1), brokerId(2), brokerId(3)]
const OWN = storeId('1'.repeat(32))

function open() {
  const clock = new VirtualClock()
  const sent: { readonly to: BrokerId; readonly heartbeat: Heartbeat }[] = []
  const views: LinkView[] = []
  const usage = { oldestPendingMs: 0 }
  const witness = new Witness({ storeId: OWN, bootId: 'boot' })
  witness.began([{ bootId: 'boot', recovered: 40 }], [])
  const forgotten: string[] = []
  const registry = new Registry()
  const heartbeats = new Heartbeats({
    witness,
    detector: new Detector({ self: ONE, bootId: 'boot', tuning: DEFAULT_DETECTOR_TUNING }),
    registry,
    clock,
    heartbeatMs: 100,
    store: { usage: () => ({ ...usage }) as never, durableLsn: 42 },
    send: (to, heartbeat) => void sent.push({ to, heartbeat }),
    onChange: (view) => void views.push(view),
    onForgotten: () => void forgotten.push(`after ${witness.lost}`),
  })
  heartbeats.setPeers([TWO, THREE])
  return { clock, sent, views, usage, heartbeats, registry, witness, forgotten }
}

function from(peer: string, sequence: number, more: Partial<Heartbeat> = {}): Heartbeat {
  const nothing = {
    acknowledged: 0,
    heard: [],
    stalled: false,
    draining: false,
    full: false,
    store: sampleReport(),
  }
  return { bootId: peer, sequence, ...nothing, ...more }
}

test('each peer gets one heartbeat an interval, with what is durable here', () => {
  const { clock, sent, heartbeats } = open()
  heartbeats.start()
  clock.advance(200)
  assert.deepEqual(
    sent.map(({ to }) => to),
    [TWO, THREE, TWO, THREE, TWO, THREE],
  )
  assert.deepEqual(
    sent.filter(({ to }) => to === TWO).map(({ heartbeat }) => heartbeat.sequence),
    [1, 2, 3],
  )
  assert.equal(sent[0]!.heartbeat.store.durableLsn, 42)
  heartbeats.stop()
  assert.equal(clock.timerCount, 0)
})

test('a peer is alive from its first heartbeat until its silence or its refusal is noticed', () => {
  const { clock, views, heartbeats } = open()
  heartbeats.start()
  assert.equal(heartbeats.isAlive(TWO), false)
  heartbeats.received(TWO, from('two', 1))
  heartbeats.received(THREE, from('three', 1))
  assert.deepEqual([heartbeats.isAlive(TWO), heartbeats.isAlive(THREE)], [true, true])
  clock.advance(900)
  heartbeats.heard(TWO)
  clock.advance(300)
  assert.deepEqual([heartbeats.isAlive(TWO), heartbeats.isAlive(THREE)], [true, false])
  heartbeats.refused(TWO)
  assert.equal(heartbeats.isAlive(TWO), false)
  const before = views.length
  clock.advance(100)
  assert.equal(views.length, before)
})

test('a disk that stalls and a stop that is near are told to everybody', () => {
  const { clock, sent, usage, heartbeats } = open()
  heartbeats.start()
  usage.oldestPendingMs = 5_000
  clock.advance(100)
  assert.equal(sent.at(-1)!.heartbeat.stalled, true)
  assert.equal(heartbeats.view!.selfStalled, true)
  usage.oldestPendingMs = 0
  heartbeats.drain()
  assert.deepEqual([sent.at(-1)!.heartbeat.draining, sent.at(-1)!.heartbeat.stalled], [true, false])
})

test('only brokers that differ are told as changed, and this one concerns all groups', () => {
  const peer = {
    alive: true,
    bootId: 'a',
    stalled: false,
    draining: false,
    full: false,
    links: new Set([ONE, TWO]),
  }
  const view = (peers: LinkView['peers'], more = {}): LinkView => ({
    selfStalled: false,
    selfDraining: false,
    selfFull: false,
    peers,
    ...more,
  })
  const before = view(
    new Map([
      [TWO, peer],
      [THREE, peer],
    ]),
  )
  assert.equal(changedBrokers(undefined, before), 'self')
  assert.equal(changedBrokers(before, view(before.peers, { selfStalled: true })), 'self')
  for (const change of [
    { alive: false },
    { bootId: 'b' },
    { stalled: true },
    { draining: true },
    { links: new Set([ONE]) },
  ]) {
    const now = view(
      new Map([
        [TWO, peer],
        [THREE, { ...peer, ...change }],
      ]),
    )
    assert.deepEqual(changedBrokers(before, now), new Set([THREE]))
  }
  assert.deepEqual(changedBrokers(before, view(new Map([[TWO, peer]]))), new Set([THREE]))
})

test('a start is answered at once, and who vouches for the own store is told to the groups', () => {
  const { sent, heartbeats, registry, witness, forgotten } = open()
  const standings: Standing[] = []
  const replica = {
    group: groupId(1),
    paxos: { concerns: () => true },
    links: () => {},
    standing: (standing: Standing) => void standings.push(standing),
  }
  registry.addReplica(replica as unknown as AnyReplica)
  heartbeats.received(TWO, from('two', 1))
  assert.equal(sent.length, 0, 'Nothing is told before the own start is durable.')
  heartbeats.start()
  assert.equal(standings.length, 1)
  sent.length = 0
  heartbeats.received(THREE, from('three', 1))
  assert.deepEqual(
    sent.map(({ to, heartbeat }) => [to, heartbeat.store.view]),
    [[THREE, { bootId: 'three', lost: 0 }]],
  )
  heartbeats.received(THREE, from('three', 2))
  assert.equal(sent.length, 1, 'Once a start.')
  const answer = (lost: number) => ({ store: sampleReport({ view: { bootId: 'boot', lost } }) })
  heartbeats.received(TWO, from('two', 2, answer(0)))
  assert.deepEqual([...standings.at(-1)!.answers], [sampleReport().storeId])
  heartbeats.received(THREE, from('three', 3, answer(41)))
  assert.deepEqual(forgotten, ['after 41'])
  assert.equal(standings.at(-1)!.isOutsider, true)
  assert.equal(witness.report(TWO, 42)?.isOutsider, true)
  heartbeats.stop()
})

test('a store that knows by itself that it has forgotten says so to everybody at once', () => {
  const { sent, heartbeats, forgotten } = open()
  heartbeats.exclude()
  assert.deepEqual(
    sent.map(({ to, heartbeat }) => [to, heartbeat.store.isOutsider]),
    [
      [TWO, true],
      [THREE, true],
    ],
  )
  assert.equal(forgotten.length, 1)
})
