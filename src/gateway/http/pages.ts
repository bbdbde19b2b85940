import { createHash } from 'node:crypto'
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'

import { ERROR_CODES, SynodError } from '../../errors.ts'
import { preferredType } from '../pages/accept.ts'
import { PAGE_POLICY } from '../pages/html.ts'
import { isErrorCode, problemIndex, problemPage } from '../pages/problem-pages.ts'
import type { Forms } from '../pages/problem-pages.ts'
import { referencePage } from '../pages/reference.ts'
import type { ApiDocument } from '../pages/reference.ts'
import { sendAnswer } from './answer.ts'
import type { RequestContext } from './context.ts'
import { openapiDocument } from './document.ts'
import { isHeldByClient } from './immutable.ts'
import { parseQuery } from './query.ts'
import { nearestWord } from './suggest.ts'

export const PAGE_METHODS = ['GET', 'HEAD', 'OPTIONS'] as const
/** Pages change with the version of the broker only; after so long a browser asks whether this one did. */
const FRESH_SECONDS = 300
/** The first is what a client gets that takes anything, as curl does. */
const TYPES = ['text/markdown', 'text/html', 'application/json'] as const
const FORM = { 'text/markdown': 'markdown', 'text/html': 'html', 'application/json': 'json' } as const

let reference: string | undefined

/** Whether the address is a page for people: they are no operations of the API and stand not in its document. */
export function isPage(path: string): boolean {
  return path === '/docs' || path === '/problems' || path.startsWith('/problems/')
}

/**
 * Sends a page. Errors: 'method-not-allowed'; 'not-found' for a code that is none; 'not-acceptable';
 * 'unknown-parameter', for pages take none.
 */
export function sendPage(request: IncomingMessage, response: ServerResponse, context: RequestContext): void {
  const { method = 'GET' } = request
  if (method !== 'GET' && method !== 'HEAD')
    throw new SynodError('method-not-allowed', `'${context.path}' has no method ${method.slice(0, 20)}.`, {
      hint: `It has ${PAGE_METHODS.join(', ')}.`,
      facts: { allow: PAGE_METHODS },
    })
  parseQuery(context.search, [])
  if (context.path === '/docs') {
    reference ??= referencePage(openapiDocument() as ApiDocument)
    return send(request, response, 'text/html', reference)
  }
  const forms = formsOf(context.path)
  response.appendHeader('Vary', 'Accept')
  const type = preferredType(request.headers.accept, TYPES)
  send(request, response, type, forms[FORM[type]])
}

function formsOf(path: string): Forms {
  if (path === '/problems') return problemIndex()
  const code = path.slice('/problems/'.length)
  if (isErrorCode(code)) return problemPage(code)
  const near = nearestWord(code, ERROR_CODES)
  throw new SynodError('not-found', `There is no problem '${code.slice(0, 80)}'.`, {
    hint: near === undefined ? 'All of them are at /problems.' : `Did you mean /problems/${near}?`,
  })
}

function send(request: IncomingMessage, response: ServerResponse, type: string, body: string): void {
  const headers: OutgoingHttpHeaders = {
    'Content-Type': type === 'application/json' ? type : `${type}; charset=utf-8`,
    'Content-Security-Policy': PAGE_POLICY,
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': `max-age=${FRESH_SECONDS}`,
    ETag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 27)}"`,
  }
  const status = isHeldByClient(request, headers) ? 304 : 200
  sendAnswer(response, { status, headers, body })
}
