import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { HEADER } from '../../src/transport/handshake.ts'
import { Pipe, type Link } from './link.ts'

const PORT_RETRY_MS = 100
const PORT_WAIT_MS = 60_000
const HEAD_BYTES_MAX = 16 * 1024
const OPENER = new RegExp(`\\r\\n${HEADER.FROM}: *(\\d+)\\r\\n`, 'i')

/**
 * Stands before the internal port of one broker, at the address that all brokers know. Whoever opens a connection says in
 * the first head who it is, so each pair of brokers has links of its own, one for each direction.
 */
export class BrokerProxy {
  readonly #port: number
  readonly #targetPort: number
  readonly #linkFrom: (opener: number) => Link
  readonly #linkTo: (opener: number) => Link
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(options: {
    readonly port: number
    readonly targetPort: number
    /** The way from an opener to this broker, and the way back. */
    readonly linkFrom: (opener: number) => Link
    readonly linkTo: (opener: number) => Link
  }) {
    this.#port = options.port
    this.#targetPort = options.targetPort
    this.#linkFrom = options.linkFrom
    this.#linkTo = options.linkTo
  }

  /** Connections are accepted. Call it when the broker's process begins. */
  async open(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true }, (near) => this.#accept(near))
    this.#server = server
    await this.#listen(server)
  }

  /** While the port was free somebody else's connection may have been given it, on its way out. That one ends. */
  async #listen(server: Server): Promise<void> {
    for (const startMs = performance.now(); ; await pause(PORT_RETRY_MS))
      try {
        server.listen(this.#port, '127.0.0.1')
        return void (await once(server, 'listening'))
      } catch (error) {
        const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
        if (!isTaken || performance.now() - startMs > PORT_WAIT_MS) throw error
      }
  }

  /** New connections are refused, as by a machine whose process is gone. What is under way goes its way. */
  refuse(): void {
    this.#server?.close()
    this.#server = undefined
  }

  close(): void {
    this.refuse()
    for (const socket of this.#sockets) socket.destroy()
  }

  #accept(near: Socket): void {
    this.#keep(near)
    const chunks: Buffer[] = []
    const onHead = (chunk: Buffer): void => {
      chunks.push(chunk)
      const head = Buffer.concat(chunks)
      if (!head.includes('\r\n\r\n') && head.length < HEAD_BYTES_MAX) return
      near.pause()
      near.off('data', onHead)
      near.off('end', onEarlyEnd)
      const opener = Number(OPENER.exec(head.toString('latin1'))?.[1])
      if (!Number.isSafeInteger(opener)) return void near.destroy()
      near.unshift(head)
      this.#join(near, opener)
    }
    const onEarlyEnd = (): void => void near.destroy()
    near.on('data', onHead)
    near.on('end', onEarlyEnd)
  }

  #join(near: Socket, opener: number): void {
    const forward = new Pipe(this.#linkFrom(opener), near)
    const far = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true })
    this.#keep(far)
    const backward = new Pipe(this.#linkTo(opener), far)
    forward.connect(far)
    backward.connect(near)
    near.resume()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    // A close follows, which is passed on.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
