import type { ChaosCluster } from './chaos-cluster.ts'
import { damage, type DamageNotes } from './damage.ts'
import { invariant } from '../../src/types/invariant.ts'
import { Random } from '../sim/random.ts'
import type { DiskMode } from './disk/disk-shim.ts'
import { call, json } from '../system/api.ts'
import type { LinkFault } from './link.ts'
import type { Fault } from './schedule.ts'

/** What clients work on meanwhile. */
export interface Load {
  readonly topic: string
  readonly partitions: number
  /** Left out where no disk is ever damaged. */
  readonly damage?: DamageNotes | undefined
}

/** Makes a fault happen; what it returns ends it. */
export async function inflict(cluster: ChaosCluster, fault: Fault, load: Load): Promise<() => Promise<void>> {
  const { brokers, amount } = fault
  const [first, second] = brokers
  switch (fault.kind) {
    case 'kill-one':
    case 'kill-majority':
    case 'kill-all':
      await Promise.all(brokers.map((id) => cluster.end(id, 'SIGKILL')))
      return async () => void (await Promise.all(brokers.map((id) => cluster.launch(id))))
    case 'restart':
      await cluster.end(first!, 'SIGTERM')
      await cluster.launch(first!)
      return () => Promise.resolve()
    case 'pause-one':
    case 'pause-majority':
      for (const id of brokers) cluster.pause(id)
      return () => {
        for (const id of brokers) cluster.resume(id)
        return Promise.resolve()
      }
    case 'power-cut-one':
    case 'power-cut-all':
      await Promise.all(brokers.map((id) => cluster.end(id, 'SIGKILL')))
      for (const id of brokers) cluster.disk(id).cutPower(new Random(amount).fork(`broker ${id}`))
      return async () => void (await Promise.all(brokers.map((id) => cluster.launch(id))))
    case 'disk-error':
      return failDisk(cluster, first!)
    case 'disk-slow':
      return spoilDisk(cluster, first!, { kind: 'delay', delayMs: amount })
    case 'disk-hang':
      return spoilDisk(cluster, first!, { kind: 'hang' })
    case 'disk-full':
      return spoilDisk(cluster, first!, { kind: 'full' })
    case 'flip-bits':
    case 'truncate-file':
    case 'wipe-disk':
      invariant(load.damage !== undefined, 'Who damages a disk notes it.')
      return damage(cluster, fault, load.damage)
    case 'move-leaders':
      return order(cluster, fault, load, (path) => ['POST', `${path}/leader`, { broker: String(first) }])
    case 'move-replicas':
      return order(cluster, fault, load, (path) => [
        'PUT',
        `${path}/replicas`,
        { brokers: brokers.map(String) },
      ])
    case 'isolate':
      return spoil(cluster, both(first!, others(cluster, first!)), { isCut: true })
    case 'cut-pair':
      return spoil(cluster, both(first!, [second!]), { isCut: true })
    case 'cut-one-way':
      return spoil(cluster, [[first!, second!]], { isCut: true })
    case 'slow-link':
      return spoil(cluster, both(first!, [second!]), { bytesPerSecond: amount })
    case 'delay':
      return spoil(cluster, both(first!, others(cluster, first!)), { delayMs: amount })
  }
}

/** Partitions that one order of an administrator is about, at most. */
const MOVED_MAX = 5
const ORDER_MS_MAX = 3_000

/** No fault at all, but what an administrator may do at any time. What is refused, or gets no answer, is not done again. */
async function order(
  cluster: ChaosCluster,
  { amount }: Fault,
  { topic, partitions }: Load,
  request: (partitionPath: string) => readonly [method: string, path: string, body: object],
): Promise<() => Promise<void>> {
  const random = new Random(amount)
  const url = random.pick(cluster.urls)
  await Promise.all(
    Array.from({ length: MOVED_MAX }, async () => {
      const [method, path, body] = request(`/v1/topics/${topic}/partitions/${random.integer(partitions)}`)
      const signal = AbortSignal.timeout(ORDER_MS_MAX)
      await call(url, path, { ...json(method, body), signal }).catch(() => {})
    }),
  )
  return () => Promise.resolve()
}

type Pair = readonly [from: number, to: number]

function others(cluster: ChaosCluster, id: number): readonly number[] {
  return cluster.ids.filter((other) => other !== id)
}

function both(id: number, peers: readonly number[]): readonly Pair[] {
  return peers.flatMap((peer): Pair[] => [
    [id, peer],
    [peer, id],
  ])
}

async function spoil(
  cluster: ChaosCluster,
  pairs: readonly Pair[],
  fault: LinkFault,
): Promise<() => Promise<void>> {
  await Promise.all(pairs.map(([from, to]) => cluster.spoil(from, to, fault)))
  return async () => {
    await Promise.all(pairs.map(([from, to]) => cluster.mend(from, to, fault)))
  }
}

function spoilDisk(cluster: ChaosCluster, id: number, mode: DiskMode): () => Promise<void> {
  cluster.disk(id).behave(mode)
  return () => {
    cluster.disk(id).behave({ kind: 'sound' })
    return Promise.resolve()
  }
}

/** The broker ends itself at its next write; it is started again on a disk that works. */
function failDisk(cluster: ChaosCluster, id: number): () => Promise<void> {
  cluster.allowDiskFailure(id, true)
  cluster.disk(id).behave({ kind: 'error' })
  return async () => {
    cluster.disk(id).behave({ kind: 'sound' })
    // It has nothing written, or is about to end.
    await cluster.end(id, 'SIGKILL')
    cluster.allowDiskFailure(id, false)
    await cluster.launch(id)
  }
}
