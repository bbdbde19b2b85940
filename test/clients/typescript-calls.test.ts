import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesOf, createSynodClient, NoAnswer, SynodProblem, type SynodRecord } from '../../clients/typescript/src/client.ts'

const URL_OF_NOBODY = 'http://127.0.0.1:1'
const PROBLEM = {
  code: 'no-leader',
  status: 503,
  title: '',
  detail: '',
  hint: '',
  retryable: true,
  sideEffects: 'none',
  requestId: '',
  retryAfterMs: 1,
}

function record(offset: number, text: string): SynodRecord {
  return { topic: 't', partition: 0, offset, timestamp: '2026-01-31T12:00:00.000Z', text }
}

/** A client whose every answer is these pieces of a body. */
function answering(pieces: readonly Uint8Array[], breaks = false): ReturnType<typeof createSynodClient> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece)
      if (!breaks) controller.close()
    },
    pull(controller) {
      if (breaks) controller.error(new TypeError('The connection broke.'))
    },
  })
  return createSynodClient(URL_OF_NOBODY, { fetch: () => Promise.resolve(new Response(body)) })
}

async function textsOf(records: AsyncIterable<SynodRecord>, into: string[] = []): Promise<readonly string[]> {
  for await (const { text } of records) into.push(text ?? '')
  return into
}

test('a stream is cut into records however its bytes arrive', async () => {
  const wanted = ['é\u2028\u0085', '', '✓'.repeat(100)]
  const bytes = new TextEncoder().encode(wanted.map((text, index) => `${JSON.stringify(record(index, text))}\n`).join(''))
  for (const size of [1, 7, 1_000]) {
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
      bytes.slice(index * size, (index + 1) * size),
    )
    assert.deepEqual(await textsOf(answering(pieces).stream('t')), wanted)
  }
})

test('a stream that ends with a problem or breaks gives what came before and says so', async () => {
  const first = `${JSON.stringify(record(0, 'a'))}\n`
  const seen: string[] = []
  const ending = answering([new TextEncoder().encode(`${first}${JSON.stringify({ problem: PROBLEM })}\n`)])
  await assert.rejects(textsOf(ending.stream('t'), seen), (error) => error instanceof SynodProblem && error.code === 'no-leader')
  const broken = answering([new TextEncoder().encode(first)], true)
  await assert.rejects(textsOf(broken.stream('t'), seen), NoAnswer)
  assert.deepEqual(seen, ['a', 'a'])
})

test('a call with one try is sent once, and its problem says when to try again', async () => {
  let sentCount = 0
  const client = createSynodClient(URL_OF_NOBODY, {
    fetch: () => {
      sentCount++
      return Promise.resolve(new Response(JSON.stringify(PROBLEM), { status: 503 }))
    },
  })
  await assert.rejects(client.produce('t', [{ text: 'x' }], { triesMax: 1 }), (error) => {
    assert.ok(error instanceof SynodProblem)
    assert.equal(error.problem.retryAfterMs, 1)
    return true
  })
  assert.equal(sentCount, 1)
  await assert.rejects(client.produce('t', [{ text: 'x' }], { triesMax: 3 }), SynodProblem)
  assert.equal(sentCount, 4)
})

test('the bytes of a text or of bytes are what was produced; of JSON and a tombstone there are none to give', () => {
  assert.deepEqual(bytesOf(record(0, 'é')), new TextEncoder().encode('é'))
  const { text: _, ...tombstone } = record(0, '')
  assert.deepEqual(bytesOf({ ...tombstone, base64: 'AP8=' }), Uint8Array.of(0, 255))
  assert.equal(bytesOf(tombstone), undefined)
  assert.equal(bytesOf({ ...tombstone, value: 1 }), undefined)
})
