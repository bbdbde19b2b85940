import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Server } from 'node:net'

/**
 * Below the ports that systems lend to outgoing connections. A port from there could be lent away while its broker is
 * down, even to a peer that tries to reach it, which would then be connected to itself.
 */
const LOWEST = 15_000
const HIGHEST = 32_000
const TRIES_MAX = 1_000

/** Ports that nobody listens on now, all different. They are not held: somebody else may still take one. */
export async function freePorts(count: number, host: string, except: ReadonlySet<number>): Promise<number[]> {
  const held: Server[] = []
  const ports: number[] = []
  try {
    for (let tries = 0; ports.length < count; tries++) {
      if (tries > TRIES_MAX)
        throw new Error(`No free port between ${LOWEST} and ${HIGHEST} was found on ${host}.`)
      const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
      if (except.has(port)) continue
      const server = await tryListen(port, host)
      if (server === undefined) continue
      held.push(server)
      ports.push(port)
    }
  } finally {
    await Promise.all(held.map(close))
  }
  return ports
}

export async function isPortFree(port: number, host: string): Promise<boolean> {
  const server = await tryListen(port, host)
  if (server === undefined) return false
  await close(server)
  return true
}

/** Undefined when the port is taken or may not be used. */
async function tryListen(port: number, host: string): Promise<Server | undefined> {
  const server = createServer()
  server.listen({ port, host, exclusive: true })
  try {
    await once(server, 'listening')
    return server
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined
    throw error
  }
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
