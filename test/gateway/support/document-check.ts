import assert from 'node:assert/strict'

import { SynodError } from '../../../src/errors.ts'
import { OPERATIONS } from '../../../src/gateway/http/operations/all.ts'
import { COMMON_CODES } from '../../../src/gateway/http/operations/responses.ts'
import { RouteTable } from '../../../src/gateway/http/route-table.ts'
import { problemSchema } from '../../../src/gateway/http/schemas.ts'

const table = new RouteTable(OPERATIONS)

interface SeenAnswer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
}

interface DocumentedResponse {
  readonly description: string
  readonly content?: Readonly<Record<string, { readonly schema: { parse(value: unknown): unknown } }>>
}

/** Fails when an answer is not one that the document promises for this operation. */
export function checkAgainstDocument(method: string, path: string, answer: SeenAnswer): void {
  const where = `${method} ${path} -> ${answer.status}`
  assert.ok(answer.headers.get('request-id'), `${where} names its request.`)
  assert.ok(answer.headers.get('synod-broker'), `${where} names its broker.`)
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff', where)
  if (method === 'OPTIONS' || method === 'HEAD') return
  const responses = responsesOf(method, path)
  if (answer.headers.get('content-type') === 'application/problem+json')
    return checkProblem(where, answer, responses)
  assert.ok(responses !== undefined, `${where} is in the document.`)
  const documented = responses.get(String(answer.status))
  assert.ok(documented !== undefined, `${where} is a documented status.`)
  checkBody(where, answer, documented)
}

function responsesOf(method: string, path: string): ReadonlyMap<string, DocumentedResponse> | undefined {
  try {
    const { route } = table.match(method, path.split('?', 1)[0] ?? '')
    return new Map(Object.entries(route.operation.responses as Record<string, DocumentedResponse>))
  } catch (error) {
    if (error instanceof SynodError) return undefined
    throw error
  }
}

function checkProblem(
  where: string,
  answer: SeenAnswer,
  responses: ReadonlyMap<string, DocumentedResponse> | undefined,
): void {
  const problem = problemSchema.parse(JSON.parse(answer.text))
  assert.equal(problem.status, answer.status, where)
  assert.equal(answer.headers.get('cache-control'), 'no-store', where)
  assert.equal(problem.requestId, answer.headers.get('request-id'), where)
  assert.ok(problem.hint.length > 0 && problem.detail.length > 0, `${where} says what to try.`)
  assert.ok(
    !answer.text.includes('.ts:') && !answer.text.includes('.js:'),
    `${where} tells nothing of the inside.`,
  )
  if (responses === undefined || COMMON_CODES.includes(problem.code)) return
  const named = [...responses.values()].some(({ description }) => description.includes(`\`${problem.code}\``))
  assert.ok(named, `${where} documents ${problem.code}.`)
}

function checkBody(where: string, answer: SeenAnswer, documented: DocumentedResponse): void {
  if (documented.content === undefined) return assert.equal(answer.text, '', `${where} has no body.`)
  const [type = '', media] = Object.entries(documented.content)[0] ?? []
  const essence = (answer.headers.get('content-type') ?? '').split(';', 1)[0]
  // A raw value has the type that its producer named.
  if (type !== 'application/octet-stream') assert.equal(essence, type, where)
  if (type !== 'application/json' || media === undefined) return
  const body: unknown = JSON.parse(answer.text)
  // zod drops what a schema does not name: a difference is an undocumented field.
  assert.deepEqual(media.schema.parse(body), body, where)
}
