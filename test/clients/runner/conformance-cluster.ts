import { ChaosCluster } from '../../chaos/chaos-cluster.ts'
import { eventually } from '../../support/eventually.ts'
import { call, json, topicOf } from '../../system/api.ts'
import type { Deeds } from './deeds.ts'

const READY_MS = 60_000
/** A produce that waits for a leader is answered well within this. */
const PROBE_MS = 10_000
/** Beyond every log: where it is asked for, nothing is stored, whoever leads. */
const NO_OFFSET = String(Number.MAX_SAFE_INTEGER)

/** Three brokers as processes of their own, on ports that the system had free. */
export class ConformanceCluster implements Deeds {
  readonly #cluster: ChaosCluster

  static async start(folder: string, flags: Readonly<Record<string, string>> = {}): Promise<ConformanceCluster> {
    const cluster = new ConformanceCluster(await ChaosCluster.start({ folder, brokers: 3, flags }))
    await cluster.#ready()
    return cluster
  }

  private constructor(cluster: ChaosCluster) {
    this.#cluster = cluster
  }

  get urls(): readonly string[] {
    return this.#cluster.urls
  }

  async killLeader(topic: string, partition: number): Promise<void> {
    const url = this.#runningUrl()
    const leader = await eventually(
      async () => {
        const found = (await topicOf(url, topic)).partitions.find((each) => each.partition === partition)?.leader
        if (found === undefined) throw new Error(`Partition ${partition} of ${topic} has no leader.`)
        return Number(found)
      },
      { timeoutMs: READY_MS },
    )
    await this.#cluster.end(leader, 'SIGKILL')
  }

  async stopMajority(): Promise<void> {
    const [first, ...others] = this.#cluster.ids
    await Promise.all(others.map((id) => this.#cluster.end(id, 'SIGKILL')))
    await this.#knowsThatItIsAlone(this.#cluster.urlOf(first!))
  }

  async startAll(): Promise<void> {
    await Promise.all(this.#cluster.ids.map((id) => this.#cluster.launch(id)))
    await this.#ready()
  }

  stop(): Promise<void> {
    return this.#cluster.stop()
  }

  #runningUrl(): string {
    const id = this.#cluster.ids.find((each) => this.#cluster.isRunning(each))
    if (id === undefined) throw new Error('No broker runs.')
    return this.#cluster.urlOf(id)
  }

  async #ready(): Promise<void> {
    await eventually(
      async () => {
        for (const url of this.urls) {
          const { status } = await call(url, '/readyz')
          if (status !== 200) throw new Error(`${url} is not ready: ${status}.`)
        }
      },
      { timeoutMs: READY_MS },
    )
  }

  /** A leader that has just lost its followers may still begin what it then cannot finish; a script is to meet a clear no. */
  async #knowsThatItIsAlone(url: string): Promise<void> {
    await eventually(
      async () => {
        const { body } = await call(url, '/v1/topics')
        const { items } = body as unknown as { readonly items: readonly { name: string; partitionCount: number }[] }
        for (const { name, partitionCount } of items)
          for (let partition = 0; partition < partitionCount; partition++) await refused(url, name, partition)
      },
      { timeoutMs: READY_MS },
    )
  }
}

async function refused(url: string, topic: string, partition: number): Promise<void> {
  const { status } = await call(url, `/v1/topics/${topic}/batches`, {
    ...json('POST', { records: [{ partition }] }, { 'expected-offset': NO_OFFSET }),
    signal: AbortSignal.timeout(PROBE_MS),
  })
  if (status !== 503) throw new Error(`Partition ${partition} of ${topic} answered ${status}.`)
}
