import type { IncomingMessage } from 'node:http'
import { createHash, timingSafeEqual } from 'node:crypto'
import type { BrokerId, GroupId } from '../types/ids.ts'
import type { MessageKind } from '../paxos/messages.ts'
import type { Checksum } from '../paxos/state.ts'
import { parseJson, readBody, RequestProblem } from './http-answers.ts'
import { messageFromJson, messageToJson, numberFromJson } from './message-json.ts'
import { isObject } from './request-codec.ts'
import type { TransportHandlers } from './transport.ts'

/** Which messages each endpoint takes; the first is meant when the message does not say its kind. */
const KINDS_OF_PATH: ReadonlyMap<string, readonly MessageKind[]> = new Map<string, readonly MessageKind[]>([
  ['/internal/v1/paxos/prepare', ['prepare']],
  ['/internal/v1/paxos/accept', ['accept', 'acceptSync']],
  ['/internal/v1/paxos/learn', ['learn']],
  ['/internal/v1/paxos/sync', ['syncRequest', 'syncChunk', 'syncReset', 'syncRequired']],
])

export function isTypedMessagePath(path: string): boolean {
  return KINDS_OF_PATH.has(path)
}

export interface TypedMessageOptions {
  readonly secret: Buffer | undefined
  readonly checksum: Checksum
  readonly onTypedMessage: TransportHandlers['onTypedMessage']
}

/**
 * One message from a person: `{group, from, message}` as JSON, from this machine, with the secret in hex as bearer token.
 * Gives the messages that the core sends back. Errors: RequestProblem 400, 401, 403.
 */
export async function answerTypedMessage(
  request: IncomingMessage,
  path: string,
  options: TypedMessageOptions,
): Promise<{ readonly messages: readonly unknown[] }> {
  authorize(request, options.secret)
  const kinds = KINDS_OF_PATH.get(path) ?? []
  const json = parseJson(await readBody(request))
  if (!isObject(json) || !isObject(json['message'])) {
    const hint = 'For example {"group": 1, "from": 2, "message": {…}}.'
    throw new RequestProblem(
      400,
      'Malformed message',
      "The body is an object with 'group', 'from' and 'message'.",
      hint,
    )
  }
  const group = numberFromJson('group', json['group'], 0xffffffff) as GroupId
  const from = numberFromJson('from', json['from'], 0xffff) as BrokerId
  if (from === 0) throw new RequestProblem(400, 'Malformed message', "'from' is a broker id from 1.")
  const { message } = json
  const kind = kinds.find((known) => known === (message['kind'] ?? kinds[0]))
  if (kind === undefined) {
    const detail = `This endpoint takes ${kinds.join(', ')}, not ${JSON.stringify(message['kind'])}.`
    throw new RequestProblem(400, 'Malformed message', detail)
  }
  const replies = await options.onTypedMessage(from, group, messageFromJson(kind, message, options.checksum))
  return { messages: replies.map(messageToJson) }
}

function authorize(request: IncomingMessage, secret: Buffer | undefined): void {
  if (!isLoopback(request.socket.remoteAddress ?? '')) {
    throw new RequestProblem(403, 'Not from here', 'Single messages are taken from this machine only.')
  }
  if (secret === undefined) return
  const expected = `Bearer ${secret.toString('hex')}`
  const given = request.headers.authorization ?? ''
  // Both are hashed first, so that neither the comparison nor the length tells anything.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  if (!timingSafeEqual(digest(given), digest(expected))) {
    const hint = 'Send the cluster secret in hex: Authorization: Bearer <secret>.'
    throw new RequestProblem(401, 'Not authenticated', 'The bearer token is missing or wrong.', hint)
  }
}

/** Whether an address or host name means this machine. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
}
