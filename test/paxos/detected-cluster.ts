import { DEFAULT_DETECTOR_TUNING, Detector } from '../../src/detector/detector.ts'
import { brokerId } from '../../src/types/ids.ts'
import { VirtualCluster } from './virtual-cluster.ts'

/** Whether what `from` sends reaches `to`. */
export type Reach = (from: number, to: number) => boolean

const STEP_MS = 10

/** A virtual cluster whose replicas learn of each other by their own detectors, over the same broken wire as messages. */
export class DetectedCluster {
  readonly cluster: VirtualCluster
  readonly #detectors: Detector[]
  reach: Reach = () => true

  constructor(size: number, random: () => number) {
    this.cluster = new VirtualCluster({ size, random })
    const ids = this.cluster.replicas.map(({ id }) => brokerId(id))
    this.#detectors = ids.map((self) => {
      const detector = new Detector({ self, bootId: `${self}#1`, tuning: DEFAULT_DETECTOR_TUNING })
      detector.setPeers(ids, this.cluster.nowMs)
      return detector
    })
  }

  #beat(): void {
    const { nowMs } = this.cluster
    for (const [from, sender] of this.#detectors.entries()) {
      for (const [to, receiver] of this.#detectors.entries()) {
        if (from === to) continue
        const heartbeat = sender.heartbeat(brokerId(to + 1))
        if (this.reach(from + 1, to + 1)) receiver.onHeartbeat(brokerId(from + 1), heartbeat, nowMs)
      }
    }
    for (const [place, detector] of this.#detectors.entries()) {
      if (detector.tick(nowMs)) this.cluster.step(place + 1, { kind: 'links', links: detector.view })
    }
  }

  /** Each step takes ten milliseconds: deadlines, disks, one hop of every message. */
  run(ms: number): void {
    const { cluster } = this
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      cluster.pass(STEP_MS)
      if (cluster.nowMs % DEFAULT_DETECTOR_TUNING.heartbeatMs === 0) this.#beat()
      for (const { id } of cluster.replicas) cluster.makeDurable(id)
      for (const letter of cluster.wire.slice()) {
        if (this.reach(letter.from, letter.to)) cluster.deliver(letter)
        else cluster.wire.splice(cluster.wire.indexOf(letter), 1)
      }
    }
  }
}
