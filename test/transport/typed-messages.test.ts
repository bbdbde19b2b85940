import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { chainOf, FIRST_CHAIN } from '../../src/paxos/entry.ts'
import { messageFromJson, messageToJson } from '../../src/transport/message-json.ts'
import { slot } from '../../src/types/ids.ts'
import { arbitraryMessage, comparable, MESSAGE_KINDS } from '../support/arbitrary-messages.ts'
import { startBroker, TEST_SECRET } from '../support/http-cluster.ts'
import { SAMPLE_BALLOT } from '../support/sample-messages.ts'

const BEARER = { authorization: `Bearer ${TEST_SECRET.toString('hex')}` }

async function post(
  port: number,
  name: string,
  body: unknown,
  headers: Record<string, string> = BEARER,
): Promise<[number, Record<string, unknown>]> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const response = await fetch(`http://127.0.0.1:${port}/internal/v1/paxos/${name}`, {
    method: 'POST',
    body: text,
    headers,
  })
  return [response.status, (await response.json()) as Record<string, unknown>]
}

test('a message of every kind comes back from JSON as it was', () => {
  for (const kind of MESSAGE_KINDS) {
    fc.assert(
      fc.property(arbitraryMessage(kind), (message) => {
        const json = JSON.parse(JSON.stringify(messageToJson(message))) as Record<string, unknown>
        const expected = JSON.stringify(comparable(message), roundZero)
        assert.equal(JSON.stringify(comparable(messageFromJson(kind, json, crc32)), roundZero), expected)
      }),
      { numRuns: 40 },
    )
  }
})

/** A ballot of round 0 is none, whatever else it says: it is written '0'. */
function roundZero(_key: string, value: unknown): unknown {
  const isNone = typeof value === 'object' && value !== null && 'round' in value && value.round === 0
  return isNone ? { broker: 0, config: 0, round: 0 } : value
}

test('a prepare typed by a person reaches the core, and the promise comes back', async (t) => {
  const one = await startBroker(t, 1)
  one.handlers.typedReplies = [{ kind: 'nack', promised: SAMPLE_BALLOT }]
  const message = { ballot: '1.4.2', accepted: '0', through: 0, commit: 0 }
  const [status, answer] = await post(one.transport.port, 'prepare', { group: 3, from: 2, message })
  assert.deepEqual([status, answer], [200, { messages: [{ kind: 'nack', promised: '1.4.2' }] }])
  assert.deepEqual(one.handlers.typed, [
    {
      from: 2,
      group: 3,
      message: {
        kind: 'prepare',
        ballot: SAMPLE_BALLOT,
        accepted: { config: 0, round: 0, broker: 0 },
        through: 0,
        commit: 0,
      },
    },
  ])
})

test('an accept may leave checksum and chain to the broker', async (t) => {
  const one = await startBroker(t, 1)
  const entry = {
    slot: 1,
    kind: 'DATA',
    origin: '1.4.2',
    recordCount: 1,
    body: Buffer.from('x').toString('base64'),
  }
  const message = {
    ballot: { config: 1, round: 4, broker: 2 },
    previous: 0,
    entries: [entry],
    commit: 0,
    chainBefore: 0,
  }
  const [status] = await post(one.transport.port, 'accept', { group: 3, from: 2, message })
  assert.equal(status, 200)
  const got = one.handlers.typed[0]?.message
  assert.ok(got?.kind === 'accept')
  const crc = crc32('x')
  const facts = { slot: slot(1), kind: 1, origin: SAMPLE_BALLOT, recordCount: 1, crc } as const
  assert.deepEqual([got.entries[0]?.crc, got.entries[0]?.chain], [crc, chainOf(FIRST_CHAIN, facts, crc32)])
})

test('learn and sync take their own messages', async (t) => {
  const one = await startBroker(t, 1)
  const { port } = one.transport
  const learn = { group: 0, from: 2, message: { ballot: '1.1.2', commit: 9 } }
  assert.equal((await post(port, 'learn', learn))[0], 200)
  assert.equal(
    (await post(port, 'sync', { group: 0, from: 2, message: { kind: 'syncRequest', fromSlot: 4 } }))[0],
    200,
  )
  assert.deepEqual(
    one.handlers.typed.map(({ message }) => message.kind),
    ['learn', 'syncRequest'],
  )
})

test('what cannot be understood is refused with a sentence that names the field', async (t) => {
  const one = await startBroker(t, 1)
  const { port } = one.transport
  const good = { ballot: '1.4.2', accepted: '0', through: 0, commit: 0 }
  const cases: readonly [body: unknown, pattern: RegExp][] = [
    ['{', /not JSON/],
    [[], /'group', 'from' and 'message'/],
    [{ group: -1, from: 2, message: good }, /'group' is a whole number/],
    [{ group: 1, from: 0, message: good }, /'from' is a broker id/],
    [{ group: 1, from: 2, message: { ...good, ballot: '4.2' } }, /'ballot' is a ballot like/],
    [{ group: 1, from: 2, message: { ...good, extra: 1 } }, /no field 'extra'/],
    [{ group: 1, from: 2, message: { ...good, commit: undefined } }, /'commit' is a whole number.*missing/],
    [{ group: 1, from: 2, message: { kind: 'learn' } }, /takes prepare, not "learn"/],
  ]
  for (const [body, pattern] of cases) {
    const [status, problem] = await post(port, 'prepare', body)
    assert.equal(status, 400)
    assert.match(String(problem['detail']), pattern)
  }
  assert.deepEqual(one.handlers.typed, [])
})

test('without the secret nothing is taken', async (t) => {
  const one = await startBroker(t, 1)
  const body = { group: 1, from: 2, message: { ballot: '1.1.2', commit: 1 } }
  for (const headers of [{}, { authorization: 'Bearer 00' }] as Record<string, string>[]) {
    const [status, problem] = await post(one.transport.port, 'learn', body, headers)
    assert.equal(status, 401)
    assert.match(String(problem['hint']), /Bearer/)
  }
  assert.deepEqual(one.handlers.typed, [])
})

test('other paths, other methods and broken requests get an answer and do no harm', async (t) => {
  const one = await startBroker(t, 1)
  const base = `http://127.0.0.1:${one.transport.port}`
  assert.equal((await fetch(`${base}/v1/topics`)).status, 404)
  assert.equal((await fetch(`${base}//`, { method: 'POST' })).status, 404)
  assert.equal((await fetch(`${base}/internal/v1/paxos/learn`)).status, 405)
  assert.equal((await fetch(`${base}/internal/v1/paxos/stream?lane=ctl`, { method: 'POST' })).status, 400)
  assert.equal((await fetch(`${base}/internal/v1/hello`, { method: 'POST' })).status, 400)
  const [status] = await post(one.transport.port, 'learn', 'x'.repeat(5 * 1024 * 1024)).catch(() => [413])
  assert.equal(status, 413)
})
