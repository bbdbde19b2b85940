import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import { flipText, putFlipped, recordsOf } from '../support/flip.ts'
import { openScene, assertStored, cutPower, electedAmong, paxosOf } from './scene.ts'

/*
 * nats-server #7549 and #7556: bits that flipped on a minority lost or deleted the majority's data; a damaged node could
 * lead, and deleted what it took for orphans.
 */
test('bug 2: a bit that flips in an entry of the leader costs nobody anything and is mended from the others', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader } = scene
  const values = ['first', 'second', 'third']
  for (const value of values) await cluster.finish(cluster.append(leader, topic, value))
  // At once, so that nothing of it has reached the index: the start reads what is damaged and may not say what it held.
  await cluster.kill(leader)
  await flipText(cluster.disk(leader).journal, 'second')
  await cluster.open(leader)
  await cluster.allReady()
  await cluster.until(() => assert.equal(paxosOf(scene, leader).damagedCount, 0))
  await cluster.until(() => assert.equal(paxosOf(scene, leader).commit, 3))
  await assertStored(scene, values)
  await cutPower(scene)
  await assertStored(scene, values)
})

test('bug 2: bits that flip on every broker, each in another entry, cost nothing', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader } = scene
  const values = ['first', 'second', 'third']
  for (const value of values) await cluster.finish(cluster.append(leader, topic, value))
  await cluster.pass(1_000)
  for (const [place, id] of cluster.ids.entries()) {
    await cluster.kill(id)
    await flipText(cluster.disk(id).journal, values[place]!)
  }
  for (const id of cluster.ids) await cluster.open(id)
  await cluster.allReady()
  for (const id of cluster.ids) {
    const { damagedCount } = await cluster.finish(cluster.broker(id).store.scrub(Infinity))
    assert.equal(damagedCount, 1)
    await cluster.until(() => assert.equal(cluster.broker(id).engine.registry.repairedCount, 1))
  }
  await assertStored(scene, values)
})

test('bug 2: a broker whose promises may be lost does not start, keeps its data, and costs the others nothing', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader } = scene
  for (const value of ['a', 'b', 'c']) await cluster.finish(cluster.append(leader, topic, value))
  await cluster.kill(leader)
  const { journal, index } = cluster.disk(leader)
  // The head of the newest record, which no later one supersedes; without an index nothing else tells what it was.
  await putFlipped(journal, (await recordsOf(journal)).at(-1)!, 12)
  const rows = await index.scan({ from: Buffer.from([0]), below: Buffer.from([255]), countMax: 100_000 })
  await index.batch(
    rows.map((row) => ({ type: 'del', key: row.key })),
    { sync: true },
  )
  const { length } = await recordsOf(journal)
  await assert.rejects(async () => {
    const broker = await cluster.open(leader)
    await cluster.until(() => assert.fail(`Broker ${broker.id} runs.`), { withinMs: 500 })
  }, DamagedStoreError)
  assert.equal((await recordsOf(journal)).length, length, 'What it holds is still there.')
  await cluster.kill(leader)
  await electedAmong(scene, scene.followers, 5_000)
  await assertStored(scene, ['a', 'b', 'c'])
  await cluster.finish(cluster.append(scene.followers[0], topic, 'd'))
  await assertStored(scene, ['a', 'b', 'c', 'd'])
})
