import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventually } from '../support/eventually.ts'
import { startDev } from '../support/dev-cluster.ts'
import { call, produce } from './api.ts'

test('Refuses to write without a quorum, keeps reading, and heals by itself', async (t) => {
  const cluster = await startDev(t)
  const [first, second, third] = cluster.brokers()
  assert.equal((await produce(first!.url, 'greetings', 'before')).status, 201)
  await eventually(async () => {
    const page = await call(first!.url, '/v1/topics/greetings/partitions/0/records')
    assert.equal((page.body as { records: unknown[] }).records.length, 1)
  })
  cluster.signal(second!.id, 'SIGSTOP')
  cluster.signal(third!.id, 'SIGSTOP')
  await eventually(
    async () => {
      const refused = await produce(first!.url, 'greetings', 'during')
      assert.equal(refused.body['code'], 'no-quorum')
      assert.equal(refused.status, 503)
      assert.ok(Number(refused.headers.get('retry-after')) >= 1, 'says when to try again')
      assert.equal(refused.body['sideEffects'], 'none')
    },
    { timeoutMs: 20_000 },
  )
  const page = await call(first!.url, '/v1/topics/greetings/partitions/0/records')
  assert.equal(page.status, 200, 'what is committed can still be read')
  cluster.signal(second!.id, 'SIGCONT')
  cluster.signal(third!.id, 'SIGCONT')
  await eventually(async () => assert.equal((await produce(first!.url, 'greetings', 'after')).status, 201), {
    timeoutMs: 20_000,
  })
})
