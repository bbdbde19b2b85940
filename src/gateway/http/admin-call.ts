import type { IncomingMessage, ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { sendAnswer } from './answer.ts'
import type { createAdmin } from './admin.ts'
import type { RequestContext } from './context.ts'
import { namedContentType } from './record-draft.ts'
import type { Route } from './route-table.ts'

/** The types under which JSON may come. One is documented for each operation, the other is understood as well. */
const JSON_TYPES = ['application/json', 'application/merge-patch+json']

/**
 * Hands a request to the administration and its answer back. The body was read before, within bounds; the path is known
 * to exist. Errors: 'unsupported-media-type' and all that the operation throws.
 */
export async function callAdmin(
  admin: ReturnType<typeof createAdmin>,
  request: IncomingMessage,
  response: ServerResponse,
  call: { readonly context: RequestContext; readonly route: Route; readonly body: Buffer | undefined },
): Promise<void> {
  const { context, route, body } = call
  const headers = new Headers()
  const ifMatch = request.headers['if-match']
  if (ifMatch !== undefined) headers.set('If-Match', ifMatch)
  const type = documentedType(route)
  if (
    body !== undefined &&
    type !== undefined &&
    (body.byteLength > 0 || route.operation.request?.body?.required === true)
  ) {
    checkJsonType(request.headers['content-type'], type)
    headers.set('Content-Type', type)
  }
  // Only path and query matter here: names on the wire are checked by the route table and the query parser.
  const url = `http://broker${context.path}${context.search === '' ? '' : `?${context.search}`}`
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET')
  const hasContent = headers.has('Content-Type') && body !== undefined
  const made = new Request(
    url,
    hasContent ? { method, headers, body: new Uint8Array(body) } : { method, headers },
  )
  const answer = await admin.fetch(made, { context })
  const text = await answer.text()
  sendAnswer(response, { status: answer.status, headers: Object.fromEntries(answer.headers), body: text })
}

function documentedType(route: Route): string | undefined {
  const content = route.operation.request?.body?.content
  return content === undefined ? undefined : Object.keys(content)[0]
}

/** A body without a type, or with the one that curl adds by itself, is taken for what it has to be. */
export function checkJsonType(contentType: string | undefined, documented: string): void {
  const named = namedContentType(contentType)
  if (named === undefined) return
  const essence = (named.split(';', 1)[0] ?? '').trim().toLowerCase()
  if (essence === documented || JSON_TYPES.includes(essence)) return
  throw new SynodError('unsupported-media-type', `The body is '${named.slice(0, 100)}'.`, {
    hint: `Send it as JSON, with Content-Type: ${documented}.`,
  })
}
