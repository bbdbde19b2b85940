import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface FakeCluster {
  readonly url: string
  /** In the order of arrival. */
  readonly requests: readonly SeenRequest[]
  /** Breaks every open connection, as a broker that dies does. */
  breakConnections(): void
}

/** Answers one request; what it leaves open stays so until the connection breaks. */
export type Answer = (request: SeenRequest, response: ServerResponse) => void

/** A server that speaks as much HTTP as a test of a command needs. */
export async function startFakeCluster(t: TestContext, answer: Answer): Promise<FakeCluster> {
  const requests: SeenRequest[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const seen = {
      method: request.method ?? '',
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }
    requests.push(seen)
    answer(seen, response)
  }
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    breakConnections: () => server.closeAllConnections(),
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const type = status >= 400 ? 'application/problem+json' : 'application/json'
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body))
}
