import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../../src/cli/dev/ports.ts'
import type { Bodies } from '../bodies.ts'
import { listens, serve } from '../programs.ts'
import type { System } from '../system.ts'
import { wrk } from '../wrk.ts'

const NODE = fileURLToPath(new URL('./ceiling-node.js', import.meta.url))

/** What Node and LevelDB can do at most: the same work with no consensus around it. See `ceiling-node.ts`. */
export async function startCeiling(folder: string, bodies: Bodies): Promise<System> {
  const ports = await freePorts(3, '127.0.0.1', new Set())
  const [leader, ...followers] = ports as [number, number, number]
  await mkdir(join(folder, 'ceiling'))
  const start = (port: number, others: readonly number[]) =>
    serve(
      process.execPath,
      [NODE, join(folder, 'ceiling', String(port)), String(port), ...others.map(String)],
      join(folder, 'ceiling.log'),
    )
  const nodes = followers.map((port) => start(port, []))
  await Promise.all(followers.map(listens))
  nodes.push(start(leader, followers))
  await listens(leader)
  return {
    name: 'ceiling',
    pids: nodes.map(({ pid }) => pid),
    load: async (work) => {
      // As many bytes in one piece: nothing takes the records apart here.
      const bytes = work.records * work.bytes
      const bodyFile = await bodies.file(`value-${bytes}`, () => 'x'.repeat(bytes))
      return wrk(
        { url: `http://127.0.0.1:${leader}/`, bodyFile, contentType: 'application/octet-stream' },
        work,
      )
    },
    stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))),
  }
}
