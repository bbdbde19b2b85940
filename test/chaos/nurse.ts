import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { call } from '../system/api.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import { storeIdIn } from './damage.ts'
import type { DamageAtlas, Wound } from './damage-atlas.ts'

interface NurseOptions {
  readonly cluster: ChaosCluster
  readonly atlas: DamageAtlas
  readonly topic: string
  say(sentence: string): void
}

interface BrokerBody {
  readonly id: string
  readonly state: string
  readonly pendingStore?: string
}

interface OperationBody {
  readonly kind: string
  readonly state: string
  readonly broker?: string
  readonly store?: string
}

interface PartitionBody {
  readonly partition: number
  readonly replicas: readonly string[]
  readonly inSync?: readonly string[] | null
}

const ROUND_MS = 500
const ASK_MS_MAX = 3_000

/**
 * Does what an operator does for brokers with a damaged disk, and no more (docs/operations.md): starts one again that ended
 * itself or takes part in no vote. Says of each when it holds everything again.
 */
export class Nurse {
  readonly #options: NurseOptions
  readonly #done: Promise<void>
  #isStopping = false
  #reason = ''

  constructor(options: NurseOptions) {
    this.#options = options
    this.#done = this.#run()
  }

  /** Undefined when no disk is damaged any more, else why one is thought to be. */
  get whyNotWell(): string | undefined {
    return this.#options.atlas.wounds.length === 0 ? undefined : this.#reason
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#done
  }

  async #run(): Promise<void> {
    const { cluster, atlas } = this.#options
    while (!this.#isStopping) {
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS))
      for (const id of atlas.everWounded) await cluster.revive(id)
      for (const wound of atlas.wounds) await this.#examine(wound)
    }
  }

  async #examine(wound: Wound): Promise<void> {
    const id = wound.broker
    const { cluster, atlas, say } = this.#options
    const folder = cluster.dataFolderOf(id)
    const storeId = storeIdIn(folder)
    try {
      for (const url of cluster.urls)
        await this.#ask(url, id, storeId === wound.storeId ? undefined : storeId)
      const { text } = (await this.#get(cluster.urlOf(id), '/metrics')) as { readonly text?: string }
      if (!/^synod_damaged_entries 0$/m.test(text ?? '')) throw new Error('It knows of damaged entries.')
      if (storeIdIn(folder) !== storeId || storeId === undefined || !cluster.isRunning(id))
        throw new Error('It has just changed.')
    } catch (error) {
      this.#reason = `Broker ${id}: ${String(error)}`
      // A store that forgot something is set aside by the next start.
      if (existsSync(join(folder, 'outsider.json'))) cluster.askToEnd(id)
      return
    }
    const cure = atlas.cure(wound, storeId)
    if (cure === undefined) return
    const how = cure.isReplaced ? ', with a new store' : ''
    say(`  broker ${id} is well after ${(cure.healedMs / 1_000).toFixed(1)} s${how}`)
  }

  /** Throws unless this broker says that the other one votes and is in sync everywhere. `newStore`: one that needs votes. */
  async #ask(url: string, id: number, newStore: string | undefined): Promise<void> {
    const { items: brokers } = (await this.#get(url, '/v1/brokers')) as { items: readonly BrokerBody[] }
    const broker = brokers.find((each) => each.id === String(id))
    if (broker?.state !== 'alive' || broker.pendingStore !== undefined)
      throw new Error(`${url} says ${JSON.stringify(broker)}.`)
    const { items } = (await this.#get(url, '/v1/operations')) as { items: readonly OperationBody[] }
    const replacements = items.filter((each) => each.kind === 'replace-store' && each.broker === String(id))
    const isReplaced = replacements.some(({ state, store }) => state === 'done' && store === newStore)
    if (replacements.some(({ state }) => state === 'running') || (newStore !== undefined && !isReplaced))
      throw new Error(`${url} knows no end of the replacement by ${newStore}.`)
    const { partitions } = (await this.#get(url, `/v1/topics/${this.#options.topic}`)) as {
      partitions: readonly PartitionBody[]
    }
    for (const { partition, replicas, inSync } of partitions)
      if (replicas.includes(String(id)) && inSync?.includes(String(id)) !== true)
        throw new Error(`${url} says that it is not in sync in partition ${partition}.`)
  }

  async #get(url: string, path: string): Promise<Record<string, unknown>> {
    const { status, body } = await call(url, path, { signal: AbortSignal.timeout(ASK_MS_MAX) })
    if (status !== 200) throw new Error(`${url}${path} answered ${status}.`)
    return body
  }
}
