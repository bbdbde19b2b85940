import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../../src/errors.ts'
import { eventually } from '../../support/eventually.ts'
import { openSession } from './session-client.ts'
import { SESSION_BUDGET_BYTES, startSubscribeServer } from './subscribe-server.ts'

test('stores records, byte for byte, and answers with their receipts', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server)
  client.socket.send(
    '{"records": [{"key":"k","value": {"n": 12345678901234567890, "n" :1}},{"text":"x"}],"type":"produce","id":"p","topic":"t"}',
  )
  const { id, results } = await client.next('produced')
  assert.deepEqual([id, results.map(({ offset }) => offset)], ['p', [0, 1]])
  assert.deepEqual(
    server.ports.log.appends[0]?.records.map(({ value }) => Buffer.from(value).toString()),
    ['{"n": 12345678901234567890, "n" :1}', 'x'],
  )
  assert.equal(server.budget.takenBytes, 0)
})

test('a produce that fails is an error with its id, and the session goes on', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server)
  const produce = (id: string, more: Record<string, unknown>) =>
    client.send({ type: 'produce', id, topic: 't', records: [{ text: 'x' }], ...more })
  produce('none', { topic: 'nowhere' })
  produce('empty', { records: [] })
  produce('first', { producer: { id: 'me', epoch: 0, seq: 0 } })
  produce('gap', { producer: { id: 'me', epoch: 0, seq: 7 } })
  produce('again', { producer: { id: 'me', epoch: 0, seq: 0 } })
  await client.next('error', ({ id }) => id === 'gap')
  const again = await client.next('produced', ({ id }) => id === 'again')
  assert.deepEqual(
    again.results.map(({ offset, duplicate }) => [offset, duplicate]),
    [[0, true]],
  )
  const codes = new Map(client.of('error').map(({ id, problem }) => [id, problem.code]))
  assert.deepEqual(Object.fromEntries(codes), {
    none: 'topic-not-found',
    empty: 'invalid-field',
    gap: 'sequence-gap',
  })
})

test('produces beyond the bytes that may be under way are refused as overloaded, and give back what they took', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  server.ports.log.beforeAppend = () => held
  const client = await openSession(t, server)
  const text = 'x'.repeat(SESSION_BUDGET_BYTES * 0.4)
  for (const id of ['a', 'b', 'c']) client.send({ type: 'produce', id, topic: 't', records: [{ text }] })
  const { id, problem } = await client.next('error')
  assert.deepEqual([id, problem.code, problem.retryable], ['c', 'overloaded', true])
  letGo()
  await eventually(() => assert.equal(client.of('produced').length, 2))
  assert.equal(server.budget.takenBytes, 0)
})

test('a batch of which some partitions failed is partial-append, with a receipt or a problem for each record', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t', 2)
  server.ports.log.beforeAppend = ({ partition }) => {
    if (partition === 1) throw new SynodError('no-leader', 'Nobody leads partition 1.', { retryAfterMs: 100 })
  }
  for (const protocol of ['synod.v1.json', 'synod.v1.bin']) {
    const client = await openSession(t, server, [protocol])
    const records = [{ partition: 1 }, { partition: 0 }, { partition: 1 }]
    client.send({ type: 'produce', id: 'p', topic: 't', records })
    const { id, sid, problem } = await client.next('error')
    assert.deepEqual([id, sid, problem.code, problem.status], ['p', undefined, 'partial-append', 503])
    assert.deepEqual([problem.sideEffects, problem.retryable], ['possible', false])
    const results = problem['results'] as { offset?: number; problem?: { code: string } }[]
    assert.deepEqual(
      results.map((result) => result.problem?.code ?? typeof result.offset),
      ['no-leader', 'number', 'no-leader'],
    )
  }
})

test('an outcome that is not known may be sent again with the numbers of its producer, and is stored once', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  const client = await openSession(t, server)
  const produce = (id: string, producer?: { id: string; epoch: number; seq: number }) =>
    client.send({ type: 'produce', id, topic: 't', records: [{ text: 'x' }], producer })
  const first = { id: 'me', epoch: 0, seq: 0 }
  produce('first', first)
  await client.next('produced')
  server.ports.log.beforeAppend = () => {
    throw new SynodError('outcome-unknown', 'Nobody knows.')
  }
  produce('numbered', { ...first, seq: 1 })
  produce('bare')
  const numbered = await client.next('error', ({ id }) => id === 'numbered')
  const bare = await client.next('error', ({ id }) => id === 'bare')
  assert.deepEqual(
    [numbered, bare].map(({ problem }) => [problem.code, problem.sideEffects, problem.retryable]),
    [
      ['outcome-unknown', 'possible', true],
      ['outcome-unknown', 'possible', false],
    ],
  )
  server.ports.log.beforeAppend = () => undefined
  for (const id of ['again', 'and again']) {
    produce(id, { ...first, seq: 1 })
    const { results } = await client.next('produced', (frame) => frame.id === id)
    assert.deepEqual(
      results.map(({ offset, duplicate }) => [offset, duplicate]),
      [[1, id !== 'again']],
    )
  }
  assert.equal(server.ports.log.partition(topic, 0).highWatermark, 2)
})

test('a fenced producer and one whose records go to several partitions are told so, and nothing is stored', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t', 2)
  const client = await openSession(t, server)
  const produce = (id: string, epoch: number, records: readonly unknown[]) =>
    client.send({ type: 'produce', id, topic: 't', records, producer: { id: 'me', epoch, seq: 0 } })
  produce('new', 2, [{ partition: 0, text: 'x' }])
  await client.next('produced')
  produce('old', 1, [{ partition: 0, text: 'x' }])
  produce('several', 3, [{ partition: 0 }, { partition: 1 }])
  produce('nowhere', 3, [{ partition: 7 }])
  await client.next('error', ({ id }) => id === 'nowhere')
  await eventually(() =>
    assert.deepEqual(Object.fromEntries(client.of('error').map(({ id, problem }) => [id, problem.code])), {
      old: 'producer-fenced',
      several: 'invalid-parameter',
      nowhere: 'partition-not-found',
    }),
  )
  assert.deepEqual(
    [0, 1].map((at) => server.ports.log.partition(topic, at).highWatermark),
    [1, 0],
  )
})

test('produces that a client sends without waiting are stored in their order', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const client = await openSession(t, server)
  for (let seq = 0; seq < 200; seq++)
    client.send({
      type: 'produce',
      id: `${seq}`,
      topic: 't',
      records: [{ text: `${seq}` }],
      producer: { id: 'me', epoch: 0, seq },
    })
  await eventually(() => assert.equal(client.of('produced').length, 200))
  for (const { id, results } of client.of('produced')) assert.equal(results[0]?.offset, Number(id))
})

test('what was stored for a session that left is given back, and nothing is said to nobody', async (t) => {
  const server = await startSubscribeServer(t)
  const topic = server.ports.topics.add('t')
  let letGo: () => void = () => undefined
  const held = new Promise<void>((resolve) => (letGo = resolve))
  server.ports.log.beforeAppend = () => held
  const client = await openSession(t, server)
  client.send({ type: 'produce', id: 'p', topic: 't', records: [{ text: 'x' }] })
  await eventually(() => assert.ok(server.budget.takenBytes > 0))
  client.socket.terminate()
  await eventually(() => assert.equal(server.upgrade.count, 0))
  letGo()
  await eventually(() => assert.equal(server.budget.takenBytes, 0))
  assert.equal(server.ports.log.partition(topic, 0).highWatermark, 1)
  assert.deepEqual(server.errors, [])
})
