import { DEFAULT_STORE_TUNING } from '../../src/storage/options.ts'
import type { SimulatedBroker } from './broker.ts'
import { replicasOf } from './final-state.ts'
import type { BrokersScene } from './scene.ts'

/** Undecided entries and the tail for followers, together, as `DEFAULT_TUNING` bounds them. */
const GROUP_BYTES_MAX = 34 * 1024 * 1024

/** Looks into the brokers now and then: what they hold in memory is bounded, and what is committed never becomes less. */
export class Bounds {
  readonly #scene: BrokersScene
  /** By what it is, process and group. */
  readonly #numbers = new Map<string, number>()

  constructor(scene: BrokersScene) {
    this.#scene = scene
  }

  look(): void {
    for (const broker of this.#scene.brokers.values()) this.#lookAt(broker)
  }

  #lookAt(broker: SimulatedBroker): void {
    const { process, id, life } = broker
    if (process === undefined) return
    const { judge } = this.#scene
    const { host, registry, digests } = process.composition.engine
    judge.demand(digests.differenceCount === 0, 'replicas', () => `broker ${id} differs from another one`)
    const { bytes, bytesMax } = host.queued
    judge.demand(bytes >= 0 && bytes <= bytesMax, 'bounds', () => `broker ${id} queues ${bytes} bytes`)
    const { pendingBytes } = process.store.usage()
    judge.demand(
      pendingBytes <= DEFAULT_STORE_TUNING.pendingBytesMax,
      'bounds',
      () => `${pendingBytes} bytes wait for the disk of broker ${id}`,
    )
    for (const { group, paxos } of replicasOf(process))
      judge.demand(
        paxos.memoryBytes <= GROUP_BYTES_MAX,
        'bounds',
        () => `group ${group} of broker ${id} holds ${paxos.memoryBytes} bytes`,
      )
    for (const { group, highWatermark, logStart } of registry.partitions()) {
      this.#rises(`high watermark of group ${group} (broker ${id}, ${life})`, highWatermark)
      this.#rises(`start of group ${group} (broker ${id}, ${life})`, logStart)
    }
  }

  #rises(name: string, value: number): void {
    const before = this.#numbers.get(name) ?? 0
    this.#numbers.set(name, value)
    this.#scene.judge.demand(
      value >= before,
      'watermark',
      () => `the ${name} fell from ${before} to ${value}`,
    )
  }
}
