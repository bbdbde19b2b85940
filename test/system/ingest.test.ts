import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { busiestLeader, call, json } from './api.ts'
import { Ingester } from './ingester.ts'
import { readAll, type StoredValue } from './read-all.ts'

const PARTITIONS = 3

test('Every receipt of an ingest is of a record stored once, though the leader is killed in the middle', async (t) => {
  const cluster = await startDev(t)
  const all = cluster.brokers()
  const created = await call(all[0]!.url, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  assert.equal(created.status, 201)
  const urls = () => cluster.brokers().map(({ url }) => url)
  // One begins at each broker, so one is connected to the leader that dies.
  const numbered = all.map(
    (_, first) => new Ingester(urls, first, { topic: 'orders', name: `numbered-${first}`, isNumbered: true }),
  )
  const plain = all.map(
    (_, first) => new Ingester(urls, first, { topic: 'orders', name: `plain-${first}`, isNumbered: false }),
  )
  const ingesters = [...numbered, ...plain]
  t.after(() => ingesters.forEach((ingester) => ingester.stop()))
  const beyond = (count: number, whom: readonly Ingester[]) =>
    eventually(
      () => {
        for (const { receiptCount } of whom) assert.ok(receiptCount > count, `${receiptCount} of ${count}`)
      },
      { timeoutMs: 60_000 },
    )
  await beyond(500, ingesters)
  const before = numbered.map(({ receiptCount }) => receiptCount)
  cluster.kill(await busiestLeader(all[0]!.url, 'orders'))
  await beyond(Math.max(...before) + 2_000, numbered)
  for (const ingester of ingesters) ingester.stop()
  const endings = await Promise.all(numbered.map(({ done }) => done))
  for (const ending of endings) assert.equal(ending?.end, true)
  await Promise.all(plain.map(({ done }) => done))
  assert.ok(
    numbered.some(({ breakCount }) => breakCount > 0),
    'One was connected to the broker that died.',
  )
  // A broker that came back a moment ago may know less for a while.
  await eventually(
    async () => assertStoredOnce(await readAll(urls()[0]!, 'orders', PARTITIONS), numbered, ingesters),
    { timeoutMs: 30_000 },
  )
})

function assertStoredOnce(
  stored: readonly StoredValue[],
  numbered: readonly Ingester[],
  ingesters: readonly Ingester[],
): void {
  const places = new Map<string, string>()
  for (const { value, partition, offset } of stored) {
    assert.ok(!places.has(value), `${value} is stored once`)
    places.set(value, `${partition}@${offset}`)
  }
  for (const { acknowledged } of ingesters)
    for (const { value, partition, offset } of acknowledged)
      assert.equal(places.get(value), `${partition}@${offset}`, `${value} is where its receipt says`)
  numbered.forEach(({ receiptCount }, index) => {
    const own = stored.filter(({ value }) => value.startsWith(`numbered-${index}-`)).map(({ value }) => value)
    const expected = Array.from({ length: receiptCount }, (_, count) => `numbered-${index}-${count}`)
    assert.deepEqual(own, expected, 'All that has a receipt is there, in the order of the lines.')
  })
}
