import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ERROR_CODES, SynodError } from '../../src/errors.ts'
import { problemHeaders, PROBLEMS, toProblem } from '../../src/gateway/problem.ts'
import { problemSchema } from '../../src/gateway/http/schemas.ts'

test('every code is shaped into a problem with a hint, and the table has no others', () => {
  assert.deepEqual(Object.keys(PROBLEMS).sort(), [...ERROR_CODES].sort())
  for (const code of ERROR_CODES) {
    const problem = toProblem(new SynodError(code, 'It happened.'), 'r-1', '/v1/topics/t')
    assert.deepEqual(problemSchema.parse(problem), problem)
    assert.equal(problem.type, `/problems/${code}`)
    assert.ok(problem.hint.length > 10, `${code} has a hint.`)
  }
})

test('what may be tried again has no side effects, and 503 says when', () => {
  for (const code of ERROR_CODES) {
    const { retryable, sideEffects, status } = PROBLEMS[code]
    assert.ok(!retryable || sideEffects === 'none', code)
    const headers = problemHeaders(toProblem(new SynodError(code, 'It happened.'), 'r', '/'))
    assert.equal(headers['Retry-After'], status === 503 ? '1' : undefined, code)
  }
})

test('with idempotency fields an unknown outcome may be tried again', () => {
  const error = new SynodError('outcome-unknown', 'Nobody knows.')
  assert.equal(toProblem(error, 'r', '/').retryable, false)
  assert.equal(toProblem(error, 'r', '/', true).retryable, true)
  assert.equal(toProblem(new SynodError('topic-closed', 'Closed.'), 'r', '/', true).retryable, false)
})

test('an error that nobody expected is internal and tells nothing', () => {
  const problem = toProblem(new Error('password=1234 at /home/x.ts:7'), 'r', '/')
  assert.equal(problem.code, 'internal')
  assert.equal(problem.status, 500)
  assert.ok(!JSON.stringify(problem).includes('1234'))
  assert.equal(toProblem('thrown text', 'r', '/').code, 'internal')
  assert.equal(toProblem(undefined, 'r', '/').code, 'internal')
})

test('facts stand beside the members and never replace one', () => {
  const error = new SynodError('offset-trimmed', 'Gone.', {
    facts: { logStart: 7, status: 200, code: 'x', requestId: 'y' },
    hint: 'Read.',
  })
  const problem = toProblem(error, 'r', '/')
  assert.deepEqual(
    [problem['logStart'], problem.status, problem.code, problem.requestId, problem.hint],
    [7, 410, 'offset-trimmed', 'r', 'Read.'],
  )
})

test('a partial append has the status of its gravest part', () => {
  const results = (...statuses: number[]) => ({
    facts: { results: [{ offset: 1 }, ...statuses.map((status) => ({ problem: { status } }))] },
  })
  const status = (...statuses: number[]) =>
    toProblem(new SynodError('partial-append', 'Some.', results(...statuses)), 'r', '/').status
  assert.deepEqual(
    [status(409), status(409, 503), status(503, 504, 507), status(507, 503), status(404, 412)],
    [409, 503, 504, 503, 412],
  )
})

test('the time to try again is rounded up to whole seconds', () => {
  const problem = toProblem(new SynodError('overloaded', 'Busy.', { retryAfterMs: 2_001 }), 'r', '/')
  assert.equal(problemHeaders(problem)['Retry-After'], '3')
})
