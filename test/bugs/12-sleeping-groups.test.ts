import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_DETECTOR_TUNING, Detector } from '../../src/detector/detector.ts'
import { brokerId } from '../../src/types/ids.ts'
import { seeded } from '../paxos/random.ts'
import { VirtualCluster } from '../paxos/virtual-cluster.ts'

const GROUP_COUNT = 1_000
const IDS = [1, 2, 3].map(brokerId)
const STEP_MS = 20
/** From the moment at which the last link of the leaders' broker is cut. */
const LED_WITHIN_MS = 3_000

/** Three brokers with a detector each and many groups on them, all over one broken network. */
class Brokers {
  readonly groups: readonly VirtualCluster[]
  readonly #cuts = new Set<string>()
  readonly #detectors = IDS.map((self) => {
    const detector = new Detector({ self, bootId: `${self}#1`, tuning: DEFAULT_DETECTOR_TUNING })
    detector.setPeers(IDS, 1_000)
    return detector
  })
  nowMs = 1_000

  constructor() {
    const random = seeded(12)
    this.groups = Array.from({ length: GROUP_COUNT }, () => new VirtualCluster({ size: 3, random }))
  }

  cut(a: number, b: number): void {
    this.#cuts.add(`${a}-${b}`)
    this.#cuts.add(`${b}-${a}`)
  }

  run(ms: number): void {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.nowMs += STEP_MS
      if (this.nowMs % DEFAULT_DETECTOR_TUNING.heartbeatMs === 0) this.#beat()
      for (const group of this.groups) this.#advance(group)
    }
  }

  #beat(): void {
    for (const [from, sender] of this.#detectors.entries()) {
      for (const [to, receiver] of this.#detectors.entries()) {
        if (from === to || this.#cuts.has(`${from + 1}-${to + 1}`)) continue
        receiver.onHeartbeat(IDS[from]!, sender.heartbeat(IDS[to]!), this.nowMs)
      }
    }
    for (const [place, detector] of this.#detectors.entries()) {
      if (!detector.tick(this.nowMs)) continue
      for (const group of this.groups) group.step(place + 1, { kind: 'links', links: detector.view })
    }
  }

  #advance(group: VirtualCluster): void {
    group.pass(this.nowMs - group.nowMs)
    for (const { id } of group.replicas) group.makeDurable(id)
    for (const letter of group.wire.slice()) {
      if (this.#cuts.has(`${letter.from}-${letter.to}`)) group.wire.splice(group.wire.indexOf(letter), 1)
      else group.deliver(letter)
    }
  }
}

/*
 * tikv #16429, #16368, #18886; cockroach PR #104057: groups that slept without heartbeats of their own did not elect, or went
 * on to refuse, when their leader was cut off from its followers at different times.
 */
test('bug 12: a thousand idle groups are all led again within 3 s, though their leader is cut off peer by peer', () => {
  const brokers = new Brokers()
  brokers.run(3_000)
  for (const group of brokers.groups) {
    assert.equal(group.leader?.id, 1)
    for (const { id } of group.replicas) assert.equal(group.paxos(id).deadlineMs, undefined, 'All sleep.')
  }
  brokers.cut(1, 2)
  brokers.run(1_500)
  // Broker 1 still reaches 3, and 2 sees it through 3: nobody is disturbed.
  for (const group of brokers.groups) assert.equal(group.leader?.id, 1)
  brokers.cut(1, 3)
  brokers.run(LED_WITHIN_MS)
  const unled = brokers.groups.filter((group) => {
    const isLed = [2, 3].filter((id) => group.paxos(id).role === 'leader').length === 1
    return !isLed || group.paxos(1).role === 'leader'
  })
  assert.equal(unled.length, 0, `${unled.length} groups of ${GROUP_COUNT} have no leader.`)
})
