import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import type { Digest } from '../../src/types/digest.ts'
import { Digests } from '../../src/partition/digests.ts'
import type { GroupHost } from './group-host.ts'
import { Violation } from './judge.ts'
import type { Scene } from './scene.ts'

/** What comparing needs of the broker that it runs on. */
export interface Comparing {
  readonly id: BrokerId
  readonly scene: Scene
  readonly hosts: ReadonlyMap<GroupId, GroupHost>
  isAlive(broker: BrokerId): boolean
  /** Runs in this life of the broker only, by its own clock, and not while it is paused. */
  schedule(run: () => void, delayMs: number): void
  transmit(to: BrokerId, digest: Digest): void
}

/** The production code that compares replicas, on a simulated broker. A difference is a finding, whoever would have to stop. */
export function openDigests(broker: Comparing): Digests {
  const { id, scene, hosts } = broker
  const { digestEveryMs } = scene.swarm
  const digests = new Digests({
    self: id,
    exchangeMs: digestEveryMs,
    clock: {
      later: (run, delayMs) => {
        let isCancelled = false
        broker.schedule(() => {
          if (!isCancelled) run()
        }, delayMs)
        return { cancel: () => void (isCancelled = true) }
      },
    },
    replicas: () => hosts.values(),
    replica: (group) => hosts.get(group),
    isAlive: (other) => broker.isAlive(other),
    send: (to, digest) => {
      for (const place of digest.places) scene.oracles.told(id, place)
      broker.transmit(to, digest)
    },
    error: (sentence) => scene.failed(new Violation('I7', sentence)),
    fatal: (error) => scene.failed(error),
  })
  if (digestEveryMs < Infinity) digests.start()
  return digests
}
