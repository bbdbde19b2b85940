import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommandError, EXIT } from '../../src/cli/exit-codes.ts'
import { call, callJson, NoAnswerError, ProblemError } from '../../src/cli/http.ts'
import { sendJson, startFakeCluster } from './fake-cluster.ts'

async function failure(promise: Promise<unknown>): Promise<CommandError> {
  return promise.then(
    () => assert.fail('It succeeded.'),
    (error: unknown) => {
      assert.ok(error instanceof CommandError)
      return error
    },
  )
}

describe('call', () => {
  test('turns a problem into its sentence, its hint and an exit code', async (t) => {
    const problem = {
      title: 'No such topic',
      detail: "There is no topic 'ordres'.",
      hint: "Did you mean 'orders'?",
      code: 'topic-not-found',
    }
    const { url } = await startFakeCluster(t, (_, response) => sendJson(response, 404, problem))
    const error = await failure(call(url, 'v1/topics/ordres'))
    assert.ok(error instanceof ProblemError)
    assert.equal(error.message, "There is no topic 'ordres'.")
    assert.equal(error.hint, "Did you mean 'orders'?")
    assert.equal(error.exitCode, EXIT.refused)
    assert.equal(error.status, 404)
  })

  test('ends with another code when trying again may help', async (t) => {
    const { url } = await startFakeCluster(t, (_, response) =>
      sendJson(response, 503, { detail: 'x', retryable: true }),
    )
    assert.equal((await failure(call(url, 'v1/cluster'))).exitCode, EXIT.tryAgain)
  })

  test('says so when somebody else than Synod answers', async (t) => {
    const { url } = await startFakeCluster(t, (_, response) => void response.writeHead(502).end('<html>'))
    assert.equal(
      (await failure(call(url, 'v1/cluster'))).message,
      'The answer has status 502 and is not from Synod.',
    )
  })

  test('says where nobody answers, and why', async (t) => {
    const { url } = await startFakeCluster(t, () => undefined)
    const silent = await failure(call(url, 'v1/cluster', { timeoutMs: 20 }))
    assert.equal(silent.message, `No broker answers at ${url}: it took too long.`)
    assert.equal(silent.exitCode, EXIT.unavailable)
    const refused = await failure(call('http://127.0.0.1:2', 'v1/cluster'))
    assert.equal(refused.message, 'No broker answers at http://127.0.0.1:2: connection refused.')
    assert.match(refused.hint ?? '', /synod dev/)
  })

  test('takes an answer that breaks off as none', async (t) => {
    const { url } = await startFakeCluster(t, (_, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"a":', () => response.destroy())
    })
    assert.ok((await failure(callJson(url, 'v1/cluster'))) instanceof NoAnswerError)
  })

  test('keeps a path in the base URL', async (t) => {
    const cluster = await startFakeCluster(t, (_, response) => sendJson(response, 200, {}))
    await callJson(`${cluster.url}/synod`, 'v1/cluster')
    assert.equal(cluster.requests[0]?.url, '/synod/v1/cluster')
  })
})
