import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TestCluster } from '../support/cluster.ts'

function led(cluster: TestCluster, id: number): number {
  return cluster.broker(id).engine.registry.led().length
}

test('a broker that stops hands its leaderships to the others, spread evenly, and nobody has to elect', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.topic('orders', {}, 12)
  const busiest = [1, 2, 3].sort((a, b) => led(cluster, b) - led(cluster, a))[0]!
  const total = led(cluster, busiest)
  assert.ok(total >= 4)
  const others = cluster.others(busiest)
  const before = others.map((id) => led(cluster, id))
  const startMs = cluster.clock.nowMs()
  await cluster.stop(busiest)
  assert.ok(cluster.clock.nowMs() - startMs < 300, `It took ${cluster.clock.nowMs() - startMs} ms.`)
  const gained = others.map((id, place) => led(cluster, id) - before[place]!)
  assert.equal(gained[0]! + gained[1]!, total)
  assert.ok(Math.abs(gained[0]! - gained[1]!) <= 1, `They got ${gained.join(' and ')}.`)
})

test('no request fails while the brokers stop and start one after the other', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic('orders', {}, 3)
  const stored: string[] = []
  let longestMs = 0
  let isOver = false
  const produce = async (name: string, partition: number) => {
    for (let count = 0; !isOver; count++) {
      const at = cluster.others(...stopping)[count % (3 - stopping.length)]!
      const startMs = cluster.clock.nowMs()
      await cluster.append(at, topic, `${name}${count}`, {
        partition,
        acks: count % 2 === 0 ? 'all' : 'majority',
      })
      longestMs = Math.max(longestMs, cluster.clock.nowMs() - startMs)
      stored.push(`${name}${count}`)
    }
  }
  const stopping: number[] = []
  const producers = Promise.all([produce('a', 0), produce('b', 1), produce('c', 2)])
  producers.catch(() => {})
  for (const id of [1, 2, 3]) {
    await cluster.pass(100)
    stopping.push(id)
    await cluster.stop(id)
    stopping.pop()
    await cluster.open(id)
    await cluster.allReady()
    await cluster.until(() => {
      for (const [partition, { group, replicas }] of topic.partitions.entries()) {
        const leader = cluster.broker(cluster.leaderOf(topic, partition)).partition(group)!
        assert.equal(leader.replica.paxos.inSyncCount, replicas.length)
      }
    })
  }
  isOver = true
  await cluster.finish(producers)
  await cluster.pass(100)
  const read: string[] = []
  for (const partition of [0, 1, 2]) read.push(...(await cluster.read(1, topic, { partition })))
  assert.deepEqual(
    stored.filter((value) => !read.includes(value)),
    [],
  )
  assert.equal(read.length, new Set(read).size)
  assert.equal(read.length, stored.length)
  assert.ok(longestMs <= 250, `The longest request took ${longestMs} ms.`)
})

test('a cluster that stops as a whole does not wait for somebody to take over', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.topic('orders', {}, 6)
  const startMs = cluster.clock.nowMs()
  await cluster.finish(Promise.all(cluster.brokers.map((broker) => broker.stop())))
  assert.ok(cluster.clock.nowMs() - startMs < 300, `It took ${cluster.clock.nowMs() - startMs} ms.`)
})

test('a broker alone stops at once', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  await cluster.topic()
  const startMs = cluster.clock.nowMs()
  await cluster.stop(1)
  assert.ok(cluster.clock.nowMs() - startMs < 150)
})
