import { format } from 'node:util'
import { runInThisContext } from 'node:vm'
import { WebSocket } from 'ws'

/** Runs a snippet as the console of a browser does: with sockets, event sources, and a console that keeps what it is told. */
export class Browser {
  readonly #sockets: WebSocket[] = []
  readonly #abort = new AbortController()
  #said = ''

  get said(): string {
    return this.#said
  }

  run(code: string): void {
    const sockets = this.#sockets
    const signal = this.#abort.signal
    class Socket extends WebSocket {
      constructor(url: string, protocol?: string) {
        super(url, protocol)
        sockets.push(this)
      }
    }
    class Source {
      onmessage: ((event: { data: string }) => void) | undefined
      constructor(url: string) {
        void readEvents(url, signal, (data) => this.onmessage?.({ data }))
      }
    }
    const console = { log: (...values: unknown[]) => void (this.#said += `${format(...values)}\n`) }
    const run = runInThisContext(`(function (WebSocket, EventSource, console) {${code}\n})`) as (
      webSocket: typeof Socket,
      eventSource: typeof Source,
      said: typeof console,
    ) => void
    run(Socket, Source, console)
  }

  close(): void {
    for (const socket of this.#sockets) socket.terminate()
    this.#abort.abort()
  }
}

/** The data of each event, until the signal. An event of this server's has one line of data at most. */
async function readEvents(url: string, signal: AbortSignal, deliver: (data: string) => void): Promise<void> {
  try {
    const response = await fetch(url, { signal, headers: { accept: 'text/event-stream' } })
    let rest = ''
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.startsWith('data: ')) deliver(line.slice(6))
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
