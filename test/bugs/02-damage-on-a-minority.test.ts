import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordKey } from '../../src/storage/keys.ts'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import { openScene, assertStored, electedAmong } from './scene.ts'

/*
 * nats-server #7549 and #7556: bits that flipped on a minority lost or deleted the majority's data; a damaged node could
 * lead, and deleted what it took for orphans. Repair from peers is not there yet (README.md): a damaged broker stays away.
 */
test('bug 2: a broker with a flipped bit in its journal does not start, keeps its data, and costs the others nothing', async (t) => {
  const scene = await openScene(t)
  const { cluster, topic, leader } = scene
  for (const value of ['a', 'b', 'c']) await cluster.finish(cluster.append(leader, topic, value))
  await cluster.kill(leader)
  const { journal, index } = cluster.disk(leader)
  // The newest record: no later one supersedes it.
  const everything = { from: recordKey(0), below: recordKey(2 ** 40), countMax: 10_000 }
  const { key, value } = (await journal.scan(everything)).at(-1)!
  const flipped = Buffer.from(value)
  flipped[flipped.length >> 1]! ^= 0x10
  await journal.batch([{ type: 'put', key, value: flipped }], { sync: true })
  // The index has seen it already, so that only a rebuild reads it; without an index every bit of the journal counts.
  const rows = await index.scan({ from: Buffer.from([0]), below: Buffer.from([255]), countMax: 100_000 })
  await index.batch(
    rows.map((row) => ({ type: 'del', key: row.key })),
    { sync: true },
  )
  const { length } = await journal.scan(everything)
  await assert.rejects(async () => {
    const broker = await cluster.open(leader)
    await cluster.until(() => assert.fail(`Broker ${broker.id} runs.`), { withinMs: 500 })
  }, DamagedStoreError)
  assert.equal((await journal.scan(everything)).length, length, 'What it holds is still there.')
  await cluster.kill(leader)
  await electedAmong(scene, scene.followers, 5_000)
  await assertStored(scene, ['a', 'b', 'c'])
  await cluster.finish(cluster.append(scene.followers[0], topic, 'd'))
  await assertStored(scene, ['a', 'b', 'c', 'd'])
})
