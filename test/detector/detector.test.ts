import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_DETECTOR_TUNING, Detector } from '../../src/detector/detector.ts'
import { brokerId } from '../../src/types/ids.ts'

const ONE = brokerId(1)
const TWO = brokerId(2)
const THREE = brokerId(3)
const IDS = [ONE, TWO, THREE]

/** Three detectors and the heartbeats between them, in virtual time. */
class Beating {
  readonly detectors = new Map(IDS.map((self) => [self, newDetector(self, 'first')]))
  nowMs = 0
  reach: (from: number, to: number) => boolean = () => true

  at(id: number): Detector {
    const detector = this.detectors.get(brokerId(id))
    assert.ok(detector)
    return detector
  }

  run(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end;) {
      this.nowMs += 100
      for (const [from, sender] of this.detectors) {
        for (const [to, receiver] of this.detectors) {
          if (from === to) continue
          const heartbeat = sender.heartbeat(to)
          if (this.reach(from, to)) receiver.onHeartbeat(from, heartbeat, this.nowMs)
        }
      }
      for (const detector of this.detectors.values()) detector.tick(this.nowMs)
    }
  }

  isAlive(observer: number, peer: number): boolean | undefined {
    return this.at(observer).view.peers.get(brokerId(peer))?.alive
  }

  links(observer: number, peer: number): number[] {
    return [...(this.at(observer).view.peers.get(brokerId(peer))?.links ?? [])].sort()
  }
}

function newDetector(self: typeof ONE, bootId: string): Detector {
  const detector = new Detector({ self, bootId, tuning: DEFAULT_DETECTOR_TUNING })
  detector.setPeers(IDS, 0)
  return detector
}

test('brokers that hear each other are alive and linked with all', () => {
  const beating = new Beating()
  beating.run(500)
  assert.equal(beating.isAlive(1, 2), true)
  assert.deepEqual(beating.links(1, 2), [1, 2, 3])
})

test('a broker never heard is not alive', () => {
  const beating = new Beating()
  beating.at(1).tick(0)
  assert.equal(beating.isAlive(1, 2), false)
  assert.deepEqual(beating.links(1, 2), [2])
})

test('the view is replaced, and tick says so, only when something changed', () => {
  const beating = new Beating()
  beating.run(500)
  const { view } = beating.at(1)
  assert.equal(beating.at(1).tick(beating.nowMs), false)
  beating.run(500)
  assert.equal(beating.at(1).view, view)
  beating.reach = (from) => from !== 2
  beating.run(1500)
  assert.notEqual(beating.at(1).view, view)
  assert.equal(view.peers.get(TWO)?.alive, true, 'A view that was handed out stays as it was.')
})

test('silence for longer than the suspicion time makes a broker dead', () => {
  const beating = new Beating()
  beating.run(500)
  beating.reach = (from) => from !== 2
  beating.run(1000)
  assert.equal(beating.isAlive(1, 2), true)
  beating.run(100)
  assert.equal(beating.isAlive(1, 2), false)
  assert.deepEqual(beating.links(1, 2), [2])
})

test('refused connections make a broker dead at once, until anything is heard of it', () => {
  const beating = new Beating()
  beating.run(500)
  beating.at(1).onRefused(TWO, beating.nowMs)
  assert.equal(beating.at(1).tick(beating.nowMs), true)
  assert.equal(beating.isAlive(1, 2), false)
  beating.at(1).onHeard(TWO, beating.nowMs + 1)
  beating.at(1).tick(beating.nowMs + 1)
  assert.equal(beating.isAlive(1, 2), true)
})

test('a link that works one way is no link', () => {
  const beating = new Beating()
  beating.run(500)
  beating.reach = (from, to) => !(from === 1 && to === 2)
  beating.run(2000)
  assert.equal(beating.isAlive(1, 2), true, '1 hears 2.')
  assert.equal(beating.isAlive(2, 1), false, '2 does not hear 1.')
  assert.deepEqual(beating.links(1, 2), [2, 3])
  assert.deepEqual(beating.links(3, 1), [1, 3])
  assert.deepEqual(beating.links(3, 2), [2, 3])
})

test('a short pause breaks no link', () => {
  const beating = new Beating()
  beating.run(500)
  beating.reach = (from, to) => from + to !== 3
  beating.run(400)
  assert.deepEqual(beating.links(1, 2), [1, 2, 3])
  beating.run(300)
  assert.deepEqual(beating.links(1, 2), [2, 3])
})

test('who is not heard is still seen through a third broker', () => {
  const beating = new Beating()
  beating.run(500)
  beating.reach = (from, to) => from + to !== 4
  beating.run(2000)
  assert.equal(beating.isAlive(1, 3), false)
  assert.deepEqual(beating.links(1, 2), [1, 2, 3])
})

test('another process of a broker shows by its boot id, and its sequence begins anew', () => {
  const beating = new Beating()
  beating.run(500)
  beating.detectors.set(TWO, newDetector(TWO, 'second'))
  beating.run(500)
  assert.equal(beating.at(1).view.peers.get(TWO)?.bootId, 'second')
  assert.deepEqual(beating.links(1, 2), [1, 2, 3])
})

test('a heartbeat that was overtaken changes nothing but the time of hearing', () => {
  const beating = new Beating()
  beating.run(300)
  const old = beating.at(2).heartbeat(ONE)
  beating.at(2).setSelf({ oldestPendingMs: 0, draining: true, full: false })
  beating.run(300)
  beating.at(1).onHeartbeat(TWO, old, beating.nowMs)
  beating.at(1).tick(beating.nowMs)
  assert.equal(beating.at(1).view.peers.get(TWO)?.draining, true)
})

test('a disk that does not finish a write for long is told as stalled, to itself as well', () => {
  const beating = new Beating()
  beating.at(1).setSelf({ oldestPendingMs: 2001, draining: false, full: false })
  beating.run(300)
  assert.equal(beating.at(1).view.selfStalled, true)
  assert.equal(beating.at(2).view.peers.get(ONE)?.stalled, true)
})

test('a broker that is not a peer any more leaves the view, and its heartbeats are ignored', () => {
  const beating = new Beating()
  beating.run(300)
  beating.at(1).setPeers([THREE], beating.nowMs)
  assert.equal(beating.at(1).tick(beating.nowMs), true)
  beating.run(300)
  assert.deepEqual([...beating.at(1).view.peers.keys()], [THREE])
})
