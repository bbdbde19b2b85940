import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../../../src/cli/dev/ports.ts'
import { eventually } from '../../../test/support/eventually.ts'
import { call, json } from '../../../test/system/api.ts'
import type { Bodies } from '../bodies.ts'
import { listens, programOf, serve } from '../programs.ts'
import type { System } from '../system.ts'
import { wrk } from '../wrk.ts'

const READY_MS = 60_000
/** Far more than a comparison writes, so that it never refuses for lack of room. */
const QUOTA_BYTES = 8 * 2 ** 30

/** etcd over its JSON gateway: a put of a value, or a transaction of as many; asked at the leader. */
export async function startEtcd(folder: string, bodies: Bodies): Promise<System | undefined> {
  const program = programOf('etcd')
  if (program === undefined) return undefined
  const ports = await freePorts(6, '127.0.0.1', new Set())
  const [clients, peers] = [ports.slice(0, 3), ports.slice(3)]
  const cluster = peers.map((port, index) => `node-${index}=http://127.0.0.1:${port}`).join(',')
  await mkdir(join(folder, 'etcd'))
  const nodes = clients.map((port, index) => {
    const options = {
      name: `node-${index}`,
      'data-dir': join(folder, 'etcd', String(index)),
      'listen-client-urls': `http://127.0.0.1:${port}`,
      'advertise-client-urls': `http://127.0.0.1:${port}`,
      'listen-peer-urls': `http://127.0.0.1:${peers[index]}`,
      'initial-advertise-peer-urls': `http://127.0.0.1:${peers[index]}`,
      'initial-cluster': cluster,
      'quota-backend-bytes': QUOTA_BYTES,
      'log-level': 'error',
    }
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
    return serve(program, args, join(folder, 'etcd.log'))
  })
  await Promise.all(clients.map(listens))
  const url = await eventually(() => leaderUrl(clients), { timeoutMs: READY_MS })
  return {
    name: 'etcd',
    pids: nodes.map(({ pid }) => pid),
    load: async ({ inFlight, records, bytes, seconds }) => {
      const bodyFile = await bodies.file(`etcd-${records}-${bytes}`, () => bodyOf(records, bytes))
      const path = records === 1 ? '/v3/kv/put' : '/v3/kv/txn'
      return wrk({ url: url + path, bodyFile, contentType: 'application/json' }, { inFlight, seconds })
    },
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}

async function leaderUrl(ports: readonly number[]): Promise<string> {
  for (const port of ports) {
    const url = `http://127.0.0.1:${port}`
    const { body } = await call(url, '/v3/maintenance/status', json('POST', {}))
    const { leader, header } = body as { leader?: string; header?: { member_id?: string } }
    if (leader !== undefined && leader === header?.member_id) return url
  }
  throw new Error('etcd has no leader yet.')
}

function bodyOf(records: number, bytes: number): string {
  const value = Buffer.alloc(bytes, 'x').toString('base64')
  const put = (index: number) => ({ key: Buffer.from(`key-${index}`).toString('base64'), value })
  if (records === 1) return JSON.stringify(put(0))
  const success = Array.from({ length: records }, (_, index) => ({ requestPut: put(index) }))
  return JSON.stringify({ success })
}
