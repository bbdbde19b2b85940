import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

import type { Problem } from '../problem.ts'
import { problemHeaders } from '../problem.ts'
import { hasBody } from './body.ts'
import type { RequestContext } from './context.ts'

export interface Answer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: string | Uint8Array
}

/** What every answer has, besides CORS. */
export function commonHeaders({ requestId, ports }: Pick<RequestContext, 'requestId' | 'ports'>): {
  readonly [name: string]: string
} {
  return {
    'Request-Id': requestId,
    'Synod-Broker': String(ports.cluster.broker),
    'X-Content-Type-Options': 'nosniff',
  }
}

/** Sets them on the response, for whoever answers with `writeHead` or `sendAnswer`. */
export function setCommonHeaders(
  response: ServerResponse,
  context: Pick<RequestContext, 'requestId' | 'ports'>,
): void {
  for (const [name, value] of Object.entries(commonHeaders(context))) response.setHeader(name, value)
}

/**
 * The answer of a produce, all headers in one piece: node takes twice the time for headers that were set before. Nothing else
 * is answered so often.
 */
export function sendProduced(
  response: ServerResponse,
  context: RequestContext,
  { status, headers, body }: Answer & { readonly body: string },
): void {
  const all = { ...commonHeaders(context), ...headers, 'Content-Type': 'application/json' }
  sendAnswer(response, { status, headers: all, body })
}

/** Sends a whole answer. To HEAD node sends the headers alone. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: Answer): void {
  if (response.headersSent || response.destroyed) return
  if (status === 204 || status === 304) {
    response.writeHead(status, headers)
    response.end()
    return
  }
  const byteCount = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  response.writeHead(status, { ...headers, 'Content-Length': byteCount })
  response.end(body)
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: string,
  headers: OutgoingHttpHeaders = {},
): void {
  sendAnswer(response, { status, headers: { ...headers, 'Content-Type': 'application/json' }, body })
}

export interface LingerLimits {
  readonly lingerMs: number
  readonly lingerBytesMax: number
}

/**
 * Sends a problem. A body that is still coming is refused with it: the connection ends, but only after the client had
 * time to see the answer, because closing a connection with unread bytes resets it and the answer would be lost. Who has to come
 * again later does so on the same connection, if its body ends within the limits: an overloaded broker has no time for new ones.
 */
export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
  limits: LingerLimits,
): void {
  if (response.headersSent || response.destroyed) return
  const body = JSON.stringify(problem)
  const headers = problemHeaders(problem)
  const isBodyComing = hasBody(request) && !request.complete
  if (!isBodyComing) return sendAnswer(response, { status: problem.status, headers, body })
  response.writeHead(problem.status, {
    ...headers,
    'Content-Length': Buffer.byteLength(body),
    ...(staysOpen(request, problem, limits) ? {} : { Connection: 'close' }),
  })
  response.write(body)
  endAfterBody(request, response, limits)
}

/** Whose body is not announced, or may never be sent, could take what follows for it. */
function staysOpen(
  { headers }: IncomingMessage,
  { status }: Problem,
  { lingerBytesMax }: LingerLimits,
): boolean {
  return status === 503 && Number(headers['content-length']) <= lingerBytesMax && headers.expect === undefined
}

/** Ends an answer that is written, after a body that is still coming, within the limits; beyond them the connection ends, too. */
export function endAfterBody(request: IncomingMessage, response: ServerResponse, limits: LingerLimits): void {
  let bytesLeft = limits.lingerBytesMax
  const finish = (): void => {
    clearTimeout(timer)
    request.off('data', discard).off('end', finish).off('close', finish)
    response.end()
    if (!request.complete) request.socket.destroySoon()
  }
  const discard = (chunk: Buffer): void => {
    bytesLeft -= chunk.byteLength
    if (bytesLeft < 0) finish()
  }
  const timer = setTimeout(finish, limits.lingerMs)
  request.on('data', discard).on('end', finish).on('close', finish)
}
