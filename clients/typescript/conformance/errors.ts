import assert from 'node:assert/strict'
import { createSynodClient, SynodProblem } from '../src/client.ts'
import type { Case, Shared } from './records.ts'
import { ask } from './talk.ts'

const RECORD_BYTES_MAX = 1_048_576
const TOPIC = 'errors'

export function errorCases({ urls }: Shared): readonly Case[] {
  const client = createSynodClient(urls)
  return [
    [
      'not-found',
      async () => {
        const problem = await problemOf(client.get('/v1/topics/nowhere'))
        assert.deepEqual([problem.status, problem.code], [404, 'topic-not-found'])
        assert.ok(problem.hint.length > 0)
      },
    ],
    [
      'conflict',
      async () => {
        await client.createTopic(TOPIC, { partitions: 1 })
        const differs = await problemOf(client.createTopic(TOPIC, { partitions: 2 }))
        assert.deepEqual([differs.status, differs.code], [409, 'topic-config-differs'])
        const mismatch = await problemOf(
          client.produce(TOPIC, [{ text: 'x', partition: 0 }], { expectedOffset: 5 }),
        )
        assert.deepEqual([mismatch.status, mismatch.code], [412, 'offset-mismatch'])
      },
    ],
    [
      'too-large',
      async () => {
        const problem = await problemOf(client.produceBytes(TOPIC, new Uint8Array(RECORD_BYTES_MAX + 1)))
        assert.deepEqual([problem.status, problem.code, problem.sideEffects], [413, 'record-too-large', 'none'])
      },
    ],
    ['unavailable', () => unavailable(urls)],
  ]
}

async function unavailable(urls: readonly string[]): Promise<void> {
  const topic = 'unavailable'
  await createSynodClient(urls).createTopic(topic, { partitions: 1 })
  await ask({ event: 'stop-majority' })
  const records = [{ text: 'once' }]
  const idempotencyKey = 'unavailable-1'
  const problem = await problemOf(
    createSynodClient(urls[0] ?? '').produce(topic, records, { idempotencyKey, triesMax: 1, timeoutMs: 5_000 }),
  )
  assert.equal(problem.status, 503)
  assert.ok(['no-quorum', 'no-leader'].includes(problem.code), problem.code)
  assert.equal(problem.sideEffects, 'none')
  assert.ok(problem.retryable)
  assert.ok((problem.retryAfterMs ?? 0) > 0, 'says when to try again')
  await ask({ event: 'start-all' })
  const client = createSynodClient(urls)
  const [receipt] = await client.produce(topic, records, { idempotencyKey })
  assert.equal(receipt?.offset, 0)
  const [again] = await client.produce(topic, records, { idempotencyKey })
  assert.deepEqual([again?.offset, again?.duplicate], [0, true])
  const page = await client.readPage(topic, { readAfter: [receipt] })
  assert.deepEqual(
    page.records.map(({ text }) => text),
    ['once'],
  )
}

async function problemOf(call: Promise<unknown>): Promise<SynodProblem['problem']> {
  const error = await call.then(
    () => new Error('It did not fail.'),
    (reason: unknown) => reason,
  )
  if (error instanceof SynodProblem) return error.problem
  throw error
}
