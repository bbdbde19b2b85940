import type { Command } from 'commander'
import { callJson } from '../http.ts'
import type { CallOptions } from '../http.ts'
import { table } from '../output.ts'
import type { Output } from '../output.ts'
import { withClientOptions } from './client-options.ts'
import type { ClientOptions } from './client-options.ts'

interface BrokerAnswer {
  readonly id: string
  readonly url: string
  readonly state: string
  readonly version?: string
  readonly leaderCount: number
}

/** A cluster as one of its brokers sees it. */
export interface ClusterAnswer {
  readonly id: string
  readonly controller: string | undefined
  readonly brokers: readonly BrokerAnswer[]
}

export function addCommand(program: Command, output: Output): void {
  withClientOptions(program.command('cluster').description('show the brokers and the controller')).action(
    async (options: ClientOptions) => {
      const cluster = await readCluster(options.url)
      if (options.json === true) output.line(JSON.stringify(cluster))
      else output.line(clusterText(cluster))
    },
  )
}

/** Both answers come from the same broker, but from two moments. */
export async function readCluster(url: string, options: CallOptions = {}): Promise<ClusterAnswer> {
  const [cluster, brokers] = await Promise.all([
    callJson<{ id: string; controller?: string | null }>(url, 'v1/cluster', options),
    callJson<{ items: readonly BrokerAnswer[] }>(url, 'v1/brokers', options),
  ])
  return { id: cluster.id, controller: cluster.controller ?? undefined, brokers: brokers.items }
}

function clusterText(cluster: ClusterAnswer): string {
  const rows = cluster.brokers.map((broker) => [
    broker.id,
    broker.url,
    broker.state,
    String(broker.leaderCount),
    broker.id === cluster.controller ? 'controller' : '',
    broker.version ?? '',
  ])
  return `cluster ${cluster.id}\n${table(['broker', 'url', 'state', 'leads', 'role', 'version'], rows)}`
}
