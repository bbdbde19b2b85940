import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { SynodError } from '../../errors.ts'
import { problemHeaders, type Problem } from '../problem.ts'

const KEY = /^[+/0-9A-Za-z]{22}==$/
/** After an answer is written the client has so long to read it. */
const LINGER_MS = 2_000

/** What `ws` would refuse in plain text is refused here, as the problem that every other error is too. */
export function checkHandshake(request: IncomingMessage): void {
  if (request.method !== 'GET') {
    throw new SynodError(
      'method-not-allowed',
      `A WebSocket begins with GET, not ${request.method ?? 'nothing'}.`,
      {
        hint: 'Open it with a WebSocket client, for example wscat -c.',
      },
    )
  }
  if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
    throw new SynodError(
      'upgrade-required',
      `This address speaks WebSocket, not '${request.headers.upgrade ?? ''}'.`,
      {
        hint: 'Send Upgrade: websocket, or use a WebSocket client, for example wscat -c.',
      },
    )
  }
  if (request.headers['sec-websocket-version'] !== '13') {
    throw new SynodError('upgrade-required', 'The WebSocket version is not 13.', {
      hint: 'Send Sec-WebSocket-Version: 13.',
    })
  }
  if (!KEY.test(request.headers['sec-websocket-key'] ?? '')) {
    throw new SynodError('malformed-request', 'Sec-WebSocket-Key is missing or is not 16 bytes in base64.', {
      hint: 'Use a WebSocket client: it draws a new key for each handshake.',
    })
  }
}

/** Answers the handshake with the problem and ends the connection. */
export function refuseHandshake(
  socket: Duplex,
  problem: Problem,
  headers: Readonly<Record<string, string>>,
): void {
  const more = {
    ...problemHeaders(problem),
    ...(problem.status === 426 ? { Upgrade: 'websocket', 'Sec-WebSocket-Version': '13' } : {}),
    ...(problem.status === 405 ? { Allow: 'GET' } : {}),
  }
  endHandshake(socket, problem.status, { ...headers, ...more }, JSON.stringify(problem))
}

/** Answers the handshake with the address to begin it at, and ends the connection. */
export function redirectHandshake(
  socket: Duplex,
  location: string,
  headers: Readonly<Record<string, string>>,
): void {
  endHandshake(socket, 307, { ...headers, Location: location, 'Cache-Control': 'no-store' }, '')
}

function endHandshake(
  socket: Duplex,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy()
    return
  }
  const all: Record<string, string> = {
    ...headers,
    'X-Content-Type-Options': 'nosniff',
    'Content-Length': String(Buffer.byteLength(body)),
    Connection: 'close',
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Error'}\r\n${lines.join('')}\r\n`
  socket.end(head + body)
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
}
