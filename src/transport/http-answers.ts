import type { IncomingMessage, ServerResponse } from 'node:http'
import { JSON_BODY_BYTES_MAX, JSON_BODY_TIMEOUT_MS } from './limits.ts'
import { withoutPrototype } from './request-codec.ts'

/** A request on the internal listener that is answered with a problem document and nothing else. */
export class RequestProblem extends Error {
  override readonly name = 'RequestProblem'
  readonly status: number
  readonly title: string
  readonly hint: string | undefined

  /** `detail` is one sentence that names the offending value. */
  constructor(status: number, title: string, detail: string, hint?: string) {
    super(detail)
    this.status = status
    this.title = title
    this.hint = hint
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(`${JSON.stringify(body)}\n`)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
  response.end(bytes)
}

/** Answers with a problem and closes the connection, whose body may never end. */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: RequestProblem,
): void {
  if (response.headersSent) {
    request.socket.destroy()
    return
  }
  const { status, title, message: detail, hint } = problem
  const body = Buffer.from(`${JSON.stringify({ status, title, detail, hint })}\n`)
  response.writeHead(status, {
    'content-type': 'application/problem+json',
    'content-length': body.length,
    connection: 'close',
  })
  response.end(body, () => request.socket.destroySoon())
}

/** The whole body of a request that ends. Errors: RequestProblem 413 and 408; 400 when the sender goes away. */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let byteLength = 0
    const timer = setTimeout(() => {
      fail(
        new RequestProblem(408, 'Request timeout', `The body did not end within ${JSON_BODY_TIMEOUT_MS} ms.`),
      )
    }, JSON_BODY_TIMEOUT_MS)
    const fail = (problem: RequestProblem): void => {
      clearTimeout(timer)
      request.removeAllListeners('data')
      reject(problem)
    }
    request.on('data', (chunk: Buffer) => {
      byteLength += chunk.length
      chunks.push(chunk)
      if (byteLength > JSON_BODY_BYTES_MAX) {
        fail(
          new RequestProblem(413, 'Body too large', `The body has more than ${JSON_BODY_BYTES_MAX} bytes.`),
        )
      }
    })
    request.on('end', () => {
      clearTimeout(timer)
      resolve(Buffer.concat(chunks, byteLength))
    })
    request.on('close', () =>
      fail(new RequestProblem(400, 'Body incomplete', 'The connection closed within the body.')),
    )
  })
}

/** Error: RequestProblem 400. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'), withoutPrototype)
  } catch (error) {
    const detail = `The body is not JSON: ${(error as Error).message}`
    throw new RequestProblem(400, 'Malformed JSON', detail)
  }
}
