import assert from 'node:assert/strict'
import { test } from 'node:test'
import { producer } from '../partition/entries.ts'
import { assertStored, cutPower, openScene, paxosOf } from './scene.ts'

/*
 * redpanda #3039, #3038, #5355: a producer that retried after a timeout had its records twice, though it was idempotent.
 * The leader dies between storing and answering, at each step of the way.
 */
test('bug 11: a retry with the same sequence is stored once, wherever the leader died with the first try', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic } = scene
  const values: string[] = []
  for (const delayMs of [0, 5, 10, 20]) {
    const value = `after ${delayMs} ms`
    const idempotency = producer('till', 1, values.length)
    values.push(value)
    const leader = cluster.leaderOf(topic)
    const [client] = cluster.others(leader)
    const before = paxosOf(scene, leader).through
    const first = cluster.append(client!, topic, value, { idempotency }).then(
      () => undefined,
      () => undefined,
    )
    await cluster.until(() => assert.ok(paxosOf(scene, leader).through > before))
    await cluster.pass(delayMs)
    await cluster.kill(leader)
    const retry = await cluster.finish(cluster.append(client!, topic, value, { idempotency }))
    assert.equal(retry.baseOffset, values.length - 1)
    await cluster.finish(first)
    await cluster.open(leader)
    await cluster.allReady()
    await assertStored(scene, values)
  }
})

test('bug 11: what a producer has sent is remembered over a power cut on all brokers', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader } = scene
  const send = (value: string, seq: number) =>
    cluster.finish(cluster.append(leader, topic, value, { idempotency: producer('till', 1, seq) }))
  await send('a', 0)
  await send('b', 1)
  await cutPower(scene)
  const again = await send('b', 1)
  assert.deepEqual([again.baseOffset, again.duplicate], [1, true])
  await send('c', 2)
  await assertStored(scene, ['a', 'b', 'c'])
})
