import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { SynodError } from '../../errors.ts'
import { problemHeaders, toProblem } from '../problem.ts'

/** Requests of one connection that were read and are not answered. Nobody pipelines so many in good faith. */
export const DUE_ANSWERS_MAX = 1_000

/**
 * Counts the answers that are due on each connection, and ends those connections whose client stopped reading. Node's
 * socket timeout already starts anew whenever a byte of what waits leaves; here is decided what its end means.
 */
export class ConnectionWatch {
  readonly #due = new WeakMap<Duplex, Set<ServerResponse>>()
  readonly #latest = new WeakMap<Duplex, ServerResponse>()
  readonly #broken = new WeakSet<Duplex>()

  /**
   * The promise resolves when all earlier answers have left; undefined when there is none. It never does when the connection
   * ends before, and is forgotten with it.
   */
  begin(request: IncomingMessage, response: ServerResponse): Promise<void> | undefined {
    const { socket } = request
    const due = this.#due.get(socket) ?? new Set()
    const latest = this.#latest.get(socket)
    this.#due.set(socket, due)
    this.#latest.set(socket, response)
    due.add(response)
    response.once('close', () => due.delete(response))
    if (due.size > DUE_ANSWERS_MAX) socket.destroy()
    if (latest === undefined || !due.has(latest)) return undefined
    return new Promise((resolve) => latest.once('close', resolve))
  }

  /** True at the first call for a connection: one error breaks it, and more follow from what else arrives. */
  breaks(socket: Duplex): boolean {
    if (this.#broken.has(socket)) return false
    this.#broken.add(socket)
    return true
  }

  /** The answers that are due on this connection, the oldest first. */
  dueOn(socket: Duplex): readonly ServerResponse[] {
    return [...(this.#due.get(socket) ?? [])]
  }

  /** A connection on which nothing moved for a while: an answer that waits for events is in order, all else is over. */
  onTimeout(socket: Socket): void {
    const isWaiting = this.dueOn(socket).length > 0 && socket.writableLength === 0
    if (!isWaiting) socket.destroy()
  }
}

/** What node's parser or its timers object to, in our words. */
function connectionError(error: ConnectionError, headersTimeoutMs: number): SynodError {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return new SynodError('headers-too-large', 'The headers have more than 16 KiB.', {
      hint: 'Put long values into the body.',
    })
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new SynodError('request-timeout', `The headers did not end within ${headersTimeoutMs} ms.`, {
      hint: 'Send them at once.',
    })
  return new SynodError('malformed-request', 'The request is not valid HTTP/1.1.', {
    hint: 'Try the same with curl -v and compare.',
  })
}

export interface ConnectionErrorParts {
  readonly watch: ConnectionWatch
  readonly broker: string
  readonly headersTimeoutMs: number
  readonly lingerMs: number
  readonly newRequestId: () => string
}

type ConnectionError = Error & { readonly code?: string }

/**
 * Answers what never became a request, or broke inside its body, with a problem as well; after what came before it and was
 * understood: that may have changed something, and must not be told that it was malformed.
 */
export function answerConnectionError(
  error: ConnectionError,
  socket: Duplex,
  parts: ConnectionErrorParts,
): void {
  if (!parts.watch.breaks(socket)) return
  const due = parts.watch.dueOn(socket)
  const understood = due.findLast((response) => response.req.complete)
  if (understood === undefined || due.some((response) => response.headersSent)) refuse(error, socket, parts)
  else understood.once('close', () => refuse(error, socket, parts))
}

function refuse(error: ConnectionError, socket: Duplex, parts: ConnectionErrorParts): void {
  const due = parts.watch.dueOn(socket)
  // An answer that has begun cannot be followed by another one for a request that nobody understood.
  if (!socket.writable || error.code === 'ECONNRESET' || due.length > 1 || due[0]?.headersSent === true) {
    socket.destroy()
    return
  }
  const problem = toProblem(connectionError(error, parts.headersTimeoutMs), parts.newRequestId(), '/')
  const body = JSON.stringify(problem)
  const headers = {
    ...problemHeaders(problem),
    'Request-Id': problem.requestId,
    'Synod-Broker': parts.broker,
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? 'Error'}\r\n${lines.join('')}\r\n${body}`,
  )
  const timer = setTimeout(() => socket.destroy(), parts.lingerMs)
  socket.once('close', () => clearTimeout(timer))
}

/**
 * Node hands any request with an Upgrade header over as an upgrade, also the offer of HTTP/2 that some clients make with
 * every first request. Such a request is put back on the connection without the offer, to be answered as usual.
 */
export function withdrawUpgrade(
  server: Server,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void {
  const lines = [`${request.method ?? 'GET'} ${request.url ?? '/'} HTTP/${request.httpVersion}`]
  const { rawHeaders } = request
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!/^(?:upgrade|http2-settings|connection)$/i.test(name))
      lines.push(`${name}: ${rawHeaders[index + 1] ?? ''}`)
  }
  const again = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  socket.unshift(Buffer.concat([again, head]))
  server.emit('connection', socket)
}
