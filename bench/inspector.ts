import { WebSocket } from 'ws'

const TRIES_MAX = 200

/** Node's inspector of another process, on loopback. */
export class Inspector {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (result: unknown) => void>()
  #count = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (text: Buffer) => {
      const { id, result } = JSON.parse(text.toString()) as { id?: number; result?: unknown }
      if (id !== undefined) this.#waiting.get(id)?.(result)
    })
  }

  /** Opens the inspector of a process that this bench has started: on its default port, which must be free. */
  static async open(pid: number): Promise<Inspector> {
    process.kill(pid, 'SIGUSR1')
    for (let tries = 1; ; tries++) {
      try {
        const answer = await fetch('http://127.0.0.1:9229/json')
        const [target] = (await answer.json()) as { webSocketDebuggerUrl: string }[]
        const socket = new WebSocket(target!.webSocketDebuggerUrl)
        await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
        return new Inspector(socket)
      } catch (error) {
        if (tries === TRIES_MAX) throw error
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
  }

  ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#count
    this.#socket.send(JSON.stringify({ id, method, params }))
    return new Promise((resolve) => this.#waiting.set(id, resolve))
  }

  close(): void {
    this.#socket.close()
  }
}
