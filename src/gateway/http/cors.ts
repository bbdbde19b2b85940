import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { isOriginAllowed } from './origin.ts'
import type { OriginRules } from './origin.ts'

const EXPOSED = [
  'Request-Id',
  'Synod-Broker',
  'Synod-Leader',
  'ETag',
  'Retry-After',
  'Idempotency-Replayed',
  'Producer-Expected-Seq',
  'Record-Offset',
  'Record-Partition',
  'Record-Timestamp',
  'Record-Key',
  // The headers that a producer gave to a record come under names of its own.
  '*',
].join(', ')
const PREFLIGHT_SECONDS = 600
const HEADER_LIST = /^[\w!#$%&'*+.^`|~, -]{1,2048}$/

/**
 * Lets pages of allowed origins read the answer, and refuses all others before anything happens: CORS alone would only
 * keep them from reading what they had already done. Errors: 'origin-not-allowed'.
 */
export function admitOrigin(request: IncomingMessage, response: ServerResponse, rules: OriginRules): void {
  const { origin, host } = request.headers
  if (origin === undefined) return
  response.setHeader('Vary', 'Origin')
  if (!isOriginAllowed(origin, host, rules))
    throw new SynodError(
      'origin-not-allowed',
      `Pages of '${origin.slice(0, 200)}' may not call this broker.`,
      {
        hint: 'Start the broker with this origin in allowedOrigins.',
      },
    )
  response.setHeader('Access-Control-Allow-Origin', origin)
  response.setHeader('Access-Control-Expose-Headers', EXPOSED)
}

/** Answers OPTIONS, with what a browser asks before it sends. The origin was admitted. */
export function answerOptions(
  request: IncomingMessage,
  response: ServerResponse,
  methods: readonly string[],
): void {
  response.setHeader('Allow', methods.join(', '))
  if (request.headers.origin !== undefined) {
    response.setHeader('Access-Control-Allow-Methods', methods.join(', '))
    response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS)
    const asked = request.headers['access-control-request-headers']
    if (typeof asked === 'string' && HEADER_LIST.test(asked))
      response.setHeader('Access-Control-Allow-Headers', asked)
  }
  response.writeHead(204)
  response.end()
}
