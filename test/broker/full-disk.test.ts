import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

const FULL = { freeBytes: 10, full: true }
const ROOM = { freeBytes: 2 ** 40, full: false }

function led(cluster: TestCluster, id: number): number {
  return cluster.broker(id).engine.registry.led().length
}

function busiestOf(cluster: TestCluster): number {
  return cluster.ids.toSorted((a, b) => led(cluster, b) - led(cluster, a))[0]!
}

test('a broker whose disk fills hands all its leaderships over, and no write is refused meanwhile', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, 12)
  const full = busiestOf(cluster)
  assert.ok(led(cluster, full) >= 4)
  let isOver = false
  let stored = 0
  const produce = async (): Promise<void> => {
    for (; !isOver; stored++) await cluster.append(full, topic, `v${stored}`, { partition: stored % 12 })
  }
  const producing = produce()
  producing.catch(() => {})
  cluster.broker(full).space = FULL
  await cluster.until(() => assert.equal(led(cluster, full), 0))
  await cluster.pass(3_000)
  isOver = true
  await cluster.finish(producing)
  assert.ok(stored > 100, `${stored} stored`)
  assert.equal(led(cluster, full), 0, 'it gets none back while it is full')
  assert.match(cluster.broker(full).warnings.join(), /nearly full/)
})

test('a broker without room is handed nothing, and leads again when there is room', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [full, other] = cluster.others(leader) as [number, number]
  cluster.broker(full).space = FULL
  await cluster.until(() =>
    assert.equal(cluster.broker(leader).engine.heartbeats.mayLead(cluster.broker(full).id), false),
  )
  const { moves } = cluster.services(leader)
  await cluster.refused(moves.move(topic, 0, cluster.broker(full).id), 'not-enough-in-sync')
  await cluster.finish(moves.move(topic, 0, cluster.broker(other).id))
  await cluster.until(() => assert.equal(cluster.leaderOf(topic), other))
  cluster.broker(full).space = ROOM
  await cluster.until(() =>
    assert.ok(cluster.broker(other).engine.heartbeats.mayLead(cluster.broker(full).id)),
  )
  await cluster.finish(moves.move(topic, 0, cluster.broker(full).id))
  await cluster.until(() => assert.equal(cluster.leaderOf(topic), full))
})

test('where all disks are full the leaderships stay, writes are refused, and room on one of them is enough', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  for (const broker of cluster.brokers) broker.space = FULL
  await cluster.pass(6_000)
  assert.equal(cluster.leaderOf(topic), leader)
  const refusal = await cluster.refused(cluster.append(leader, topic, 'a'), 'disk-full')
  assert.match(String(refusal.hint), /Free some space/)
  const [relieved] = cluster.others(leader)
  cluster.broker(relieved!).space = ROOM
  await cluster.until(() => assert.equal(cluster.leaderOf(topic), relieved))
  await cluster.finish(cluster.append(leader, topic, 'a'))
})

test('full brokers elect one of them when the leader dies: reading needs one, and so does making room', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  for (const id of cluster.others(leader)) cluster.broker(id).space = FULL
  await cluster.pass(3_000)
  await cluster.kill(leader)
  const next = await cluster.until(() => cluster.leaderOf(topic))
  await cluster.refused(cluster.append(next, topic, 'a'), 'disk-full')
  assert.equal(
    await cluster.finish(
      cluster.services(next).log.resolve(topic, 0, { kind: 'latest' }, { consistency: 'linearizable' }),
    ),
    0,
  )
})
