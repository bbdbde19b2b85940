import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NoAnswerError, ProblemError } from '../../src/cli/http.ts'
import { tryAgain } from '../../src/cli/try-again.ts'

describe('tryAgain', () => {
  test('goes on while nobody answers or the answer says that it may help', async () => {
    const failures = [
      new NoAnswerError('http://x', new Error('gone')),
      new ProblemError(503, { retryable: true }),
      new ProblemError(504, { sideEffects: 'possible' }),
    ]
    assert.equal(
      await tryAgain(30, () => {
        const failure = failures.shift()
        return failure === undefined ? Promise.resolve('done') : Promise.reject(failure)
      }),
      'done',
    )
  })

  test('gives up at what does not pass, and when the time is over', async () => {
    let count = 0
    const refuse = (retryable: boolean) => () => {
      count++
      return Promise.reject(new ProblemError(404, { retryable, sideEffects: 'none' }))
    }
    await assert.rejects(tryAgain(30, refuse(false)), ProblemError)
    await assert.rejects(tryAgain(0, refuse(true)), ProblemError)
    assert.equal(count, 2)
  })
})
