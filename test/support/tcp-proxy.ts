import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export interface TcpProxy {
  readonly port: number
  /** Closes every connection that passes now. */
  breakConnections(): void
  /** From now on `isOld` is told of the connections that pass now. */
  markOld(): void
}

/** What a proxy does with the bytes of the opening side; undefined: they are not read any more. */
export type Meddler = (
  chunk: Buffer,
  connection: { readonly firstLine: string; readonly bytesBefore: number; readonly isOld: boolean },
) => Buffer | undefined

/** A proxy on a free port of 127.0.0.1 in front of another port; `meddle` may change or hold back what is sent forward. */
export async function tcpProxy(t: TestContext, targetPort: number, meddle: Meddler): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let generation = 0
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    let firstLine: string | undefined
    let bytesBefore = 0
    const bornIn = generation
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    far.on('data', (chunk) => near.write(chunk))
    near.on('data', (chunk) => {
      firstLine ??= chunk.toString('latin1').split('\r\n', 1)[0] ?? ''
      const forward = meddle(chunk, { firstLine, bytesBefore, isOld: bornIn < generation })
      bytesBefore += chunk.length
      if (forward === undefined) near.pause()
      else far.write(forward)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const breakConnections = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  t.after(async () => {
    breakConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { port: (server.address() as AddressInfo).port, breakConnections, markOld: () => void generation++ }
}
