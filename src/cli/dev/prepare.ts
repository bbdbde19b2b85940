import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, EXIT } from '../exit-codes.ts'
import { newClusterSecret, readClusterFile, writeClusterFile } from './cluster-file.ts'
import type { DevBroker, DevClusterFile } from './cluster-file.ts'
import { freePorts, isPortFree } from './ports.ts'

/** What was asked for on the command line; undefined: as it was, or the default. */
export interface ClusterWish {
  readonly brokers?: number
  readonly port?: number
  readonly host: string
}

export interface PreparedCluster {
  readonly cluster: DevClusterFile
  /** What a person should know about how the wish was met. */
  readonly notes: readonly string[]
}

const DEFAULT_BROKERS = 3
const DEFAULT_PORT = 8080
/** They all vote, and a group has at most seven voters. */
const BROKERS_MAX = 7
const LOOPBACK = '127.0.0.1'

/** The cluster of the folder, made at the first start, with all its ports free at this moment. */
export async function prepareCluster(folder: string, wish: ClusterWish): Promise<PreparedCluster> {
  if (wish.brokers !== undefined && (wish.brokers < 1 || wish.brokers > BROKERS_MAX)) {
    throw new CommandError(EXIT.usage, `--brokers is 1 to ${BROKERS_MAX}, not ${wish.brokers}.`)
  }
  const before = readClusterFile(folder)
  if (before !== undefined && wish.brokers !== undefined && wish.brokers < before.brokers.length) {
    throw new CommandError(
      EXIT.usage,
      `The cluster in ${folder} has ${before.brokers.length} brokers, not ${wish.brokers}: they hold data that has to move first.`,
      { hint: 'Start it without --brokers, then use `synod broker remove`.' },
    )
  }
  const notes: string[] = []
  const ids = brokerIds(folder, before, wish.brokers)
  const publicPorts = await choosePublicPorts(ids.length, before, wish)
  const internalPorts = await chooseInternalPorts(ids, before, new Set(publicPorts), notes)
  const brokers = ids.map((id, index): DevBroker => {
    return { id, publicPort: publicPorts[index] ?? 0, internalPort: internalPorts[index] ?? 0 }
  })
  const cluster: DevClusterFile = {
    version: 1,
    clusterSecret: before?.clusterSecret ?? newClusterSecret(),
    brokers,
  }
  if (JSON.stringify(cluster) !== JSON.stringify(before)) writeClusterFile(folder, cluster)
  return { cluster, notes }
}

/** Those that there are, then new ones: never the id of one that was removed, whose folder is still there. */
function brokerIds(folder: string, before: DevClusterFile | undefined, wished: number | undefined): number[] {
  const ids = before?.brokers.map(({ id }) => id) ?? []
  const count = wished ?? (before === undefined ? DEFAULT_BROKERS : ids.length)
  for (let id = Math.max(0, ...ids) + 1; ids.length < count; id++)
    if (before === undefined || !existsSync(join(folder, `broker-${id}`))) ids.push(id)
  return ids
}

async function choosePublicPorts(
  count: number,
  before: DevClusterFile | undefined,
  wish: ClusterWish,
): Promise<number[]> {
  if (wish.port === 0) return freePorts(count, wish.host, new Set())
  const first = wish.port ?? DEFAULT_PORT
  if (first + count - 1 > 65_535)
    throw new CommandError(EXIT.usage, `--port ${first} leaves no room for ${count} ports.`)
  const known =
    before !== undefined && wish.port === undefined ? before.brokers.map(({ publicPort }) => publicPort) : []
  const next = known.length === 0 ? first : Math.max(...known) + 1
  const ports = [...known, ...Array.from({ length: count - known.length }, (_, index) => next + index)]
  for (const port of ports) {
    if (await isPortFree(port, wish.host)) continue
    throw new CommandError(EXIT.unavailable, `Port ${port} on ${wish.host} is taken by another process.`, {
      hint: 'Choose others with --port 9080, or any free ones with --port 0.',
    })
  }
  return ports
}

/** They stay as they are; all of them are drawn anew when one of them is taken by now. */
async function chooseInternalPorts(
  ids: readonly number[],
  before: DevClusterFile | undefined,
  except: ReadonlySet<number>,
  notes: string[],
): Promise<number[]> {
  const known = before?.brokers.map(({ internalPort }) => internalPort) ?? []
  const free = await Promise.all(known.map((port) => isPortFree(port, LOOPBACK)))
  if (free.every(Boolean) && !known.some((port) => except.has(port))) {
    const more = ids.length - known.length
    return [...known, ...(await freePorts(more, LOOPBACK, new Set([...except, ...known])))]
  }
  if (before !== undefined)
    notes.push('An internal port is taken by another process: the brokers get new ones.')
  return freePorts(ids.length, LOOPBACK, except)
}

/** The cluster removed a broker: the next start is without it. Its folder stays for whoever wants to look. */
export function forgetBroker(folder: string, id: string): void {
  const cluster = readClusterFile(folder)
  if (cluster === undefined) return
  writeClusterFile(folder, {
    ...cluster,
    brokers: cluster.brokers.filter((broker) => String(broker.id) !== id),
  })
}
