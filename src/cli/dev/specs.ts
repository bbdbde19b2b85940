import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DevClusterFile } from './cluster-file.ts'
import type { BrokerSpec } from './supervisor.ts'

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url))
const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '::1']

/** How each broker of the cluster is started: `synod serve` in a process of its own. */
export function brokerSpecs(
  folder: string,
  cluster: DevClusterFile,
  { host, memory }: { readonly host: string; readonly memory?: string | undefined },
): BrokerSpec[] {
  const seeds = cluster.brokers.map(({ id, internalPort }) => `${id}=127.0.0.1:${internalPort}`).join(',')
  return cluster.brokers.map(({ id, publicPort, internalPort }) => {
    const dataFolder = join(folder, `broker-${id}`)
    mkdirSync(dataFolder, { recursive: true })
    const settings = {
      '--broker-id': String(id),
      '--data-folder': dataFolder,
      '--public-host': host,
      '--public-port': String(publicPort),
      '--internal-host': '127.0.0.1',
      '--internal-port': String(internalPort),
      '--seeds': seeds,
      '--allowed-origins': 'loopback',
      ...(memory === undefined ? {} : { '--memory': memory }),
      ...(LOOPBACK_HOSTS.includes(host)
        ? {}
        : { '--public-url': `http://${publicName(host)}:${publicPort}` }),
    }
    const flags = [
      '--ready-json',
      '--auto-create-topics',
      ...(LOOPBACK_HOSTS.includes(host) ? [] : ['--insecure']),
    ]
    return {
      id: String(id),
      command: process.execPath,
      args: ['--disable-proto=delete', MAIN, 'serve', ...flags, ...Object.entries(settings).flat()],
      env: brokerEnvironment(cluster.clusterSecret),
      logFile: join(folder, `broker-${id}.log`),
    }
  })
}

/** Settings for a broker of its own would fit none of these; the secret must not be seen in the list of processes. */
function brokerEnvironment(clusterSecret: string): Record<string, string | undefined> {
  const others = Object.entries(process.env).filter(([name]) => !name.startsWith('SYNOD_'))
  return { UV_THREADPOOL_SIZE: '8', ...Object.fromEntries(others), SYNOD_CLUSTER_SECRET: clusterSecret }
}

function publicName(host: string): string {
  if (host === '0.0.0.0' || host === '::') return hostname()
  return host.includes(':') ? `[${host}]` : host
}
