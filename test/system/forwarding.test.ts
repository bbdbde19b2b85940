import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json, produce, topicOf } from './api.ts'

test('Answers every call on every broker, also on those that hold no replica', async (t) => {
  const cluster = await startDev(t, { brokers: 5 })
  const urls = cluster.brokers().map((broker) => broker.url)
  const created = await call(
    urls[0]!,
    '/v1/topics/orders',
    json('PUT', { partitions: 1, replicationFactor: 3 }),
  )
  assert.equal(created.status, 201)
  const counts = urls.map((url) => subscribe(t, url))
  await Promise.all(counts.map((count) => count.opened))
  for (const [index, url] of urls.entries()) {
    const answer = await produce(url, 'orders', `by broker ${index}`)
    assert.equal(answer.status, 201)
    assert.equal(answer.body['offset'], index)
  }
  for (const url of urls) {
    // A replica serves what it knows to be committed: the last record comes to it a moment after its producer's answer.
    await eventually(async () => {
      const page = await call(url, '/v1/topics/orders/partitions/0/records')
      assert.equal((page.body as { records: unknown[] }).records.length, urls.length)
    })
    const beyond = await call(url, '/v1/topics/orders/partitions/0/records?from=99')
    assert.equal(beyond.status, 416)
    assert.equal(beyond.body['highWatermark'], urls.length)
    const paxos = await call(url, '/v1/topics/orders/partitions/0/paxos')
    assert.equal(paxos.body['role'], 'leader', 'the leader is asked how the partition decides')
    const raw = await call(url, '/v1/topics/orders/partitions/0/records/0')
    assert.equal(raw.body['text'], 'by broker 0')
    assert.equal((await topicOf(url, 'orders')).partitions[0]?.inSync?.length, 3)
  }
  await eventually(() =>
    assert.deepEqual(
      counts.map((count) => count.seen),
      urls.map(() => urls.length),
    ),
  )
})

function subscribe(
  t: { after(run: () => void): void },
  url: string,
): { readonly opened: Promise<void>; seen: number } {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/topics/orders/subscribe?from=earliest`)
  t.after(() => socket.terminate())
  const state = { opened: new Promise<void>((resolve) => socket.on('open', () => resolve())), seen: 0 }
  socket.on('message', () => state.seen++)
  return state
}
