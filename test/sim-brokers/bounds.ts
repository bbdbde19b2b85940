import type { Partition } from '../../src/partition/partition.ts'
import { DEFAULT_STORE_TUNING } from '../../src/storage/options.ts'
import type { SimulatedBroker } from './broker.ts'
import { replicasOf } from './settled.ts'
import type { BrokersScene } from './scene.ts'

/** Undecided entries and the tail for followers, together, as `DEFAULT_TUNING` bounds them. */
const GROUP_BYTES_MAX = 34 * 1024 * 1024

/** Looks into the brokers now and then: what they hold in memory is bounded, and what is committed never becomes less. */
export class Bounds {
  readonly #scene: BrokersScene
  /** A replica that was deleted and made anew begins anew. */
  readonly #seen = new WeakMap<Partition, { readonly highWatermark: number; readonly logStart: number }>()

  constructor(scene: BrokersScene) {
    this.#scene = scene
  }

  look(): void {
    for (const broker of this.#scene.brokers.values()) this.#lookAt(broker)
  }

  #lookAt(broker: SimulatedBroker): void {
    const { process, id } = broker
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
    for (const partition of registry.partitions())
      this.#rise(partition, `group ${partition.group} of broker ${id}`)
  }

  #rise(partition: Partition, where: string): void {
    const before = this.#seen.get(partition) ?? { highWatermark: 0, logStart: 0 }
    const { highWatermark, logStart } = partition
    this.#seen.set(partition, { highWatermark, logStart })
    for (const [name, from, to] of [
      ['high watermark', before.highWatermark, highWatermark],
      ['first offset', before.logStart, logStart],
    ] as const)
      this.#scene.judge.demand(
        to >= from,
        'watermark',
        () => `the ${name} of ${where} fell from ${from} to ${to}`,
      )
  }
}
