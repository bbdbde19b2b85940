import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../../src/cli/dev/ports.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { startFollowers } from '../followers.ts'
import { listens, programOf, run, serve } from '../programs.ts'
import type { LoadResult, System } from '../system.ts'

const READY_MS = 60_000

/** NATS JetStream that syncs before it answers, over its own protocol; asked at the server that leads the stream. */
export async function startNats(folder: string): Promise<System | undefined> {
  const [server, load] = [programOf('nats-server'), programOf('nats-load')]
  if (server === undefined || load === undefined) return undefined
  const ports = await freePorts(6, '127.0.0.1', new Set())
  const [clientPorts, routePorts] = [ports.slice(0, 3), ports.slice(3)]
  const base = join(folder, 'nats')
  await mkdir(base)
  const nodes: ReturnType<typeof serve>[] = []
  for (const [index, port] of clientPorts.entries()) {
    const file = join(base, `node-${index}.conf`)
    await writeFile(file, configuration({ index, port, routePorts, store: join(base, `store-${index}`) }))
    nodes.push(serve(server, ['-c', file], join(folder, 'nats.log')))
  }
  await Promise.all(clientPorts.map(listens))
  const urlOf = (index: number): string => `nats://127.0.0.1:${clientPorts[index]}`
  const leader = await eventually(
    async () => {
      const { leader: name } = JSON.parse(await run(load, ['-url', urlOf(0), 'create'])) as { leader: string }
      return Number(name.slice('node-'.length))
    },
    { timeoutMs: READY_MS },
  )
  const url = urlOf(leader)
  return {
    name: 'NATS',
    pids: nodes.map(({ pid }) => pid),
    load: async ({ inFlight, records, bytes, seconds }) =>
      resultOf(load, { url, 'in-flight': inFlight, records, bytes, seconds }),
    deliver: async ({ bytes, seconds }) => resultOf(load, { url, bytes, seconds }, 'deliver'),
    follow: ({ subscribers }) => startFollowers(load, [...flags({ url, subscribers }), 'follow']),
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}

function flags(options: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(options).map(([name, value]) => `-${name}=${value}`)
}

async function resultOf(
  program: string,
  options: Readonly<Record<string, string | number>>,
  ...words: readonly string[]
): Promise<LoadResult> {
  return JSON.parse(await run(program, [...flags(options), ...words])) as LoadResult
}

function configuration(node: {
  readonly index: number
  readonly port: number
  readonly routePorts: readonly number[]
  readonly store: string
}): string {
  const routes = node.routePorts.map((port) => `nats://127.0.0.1:${port}`).join(', ')
  return `server_name: node-${node.index}
host: 127.0.0.1
port: ${node.port}
jetstream { store_dir: "${node.store}", sync_interval: always }
cluster { name: bench, host: 127.0.0.1, port: ${node.routePorts[node.index]}, routes: [${routes}] }
`
}
