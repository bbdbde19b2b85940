import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerId } from '../../src/types/ids.ts'
import { TestCluster } from '../support/cluster.ts'

test('any broker moves a partition to any replica, and no request fails meanwhile', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  let isOver = false
  let longestMs = 0
  const stored: string[] = []
  const produce = async (at: number) => {
    for (let count = 0; !isOver; count++) {
      const startMs = cluster.clock.nowMs()
      await cluster.append(at, topic, `${at}-${count}`, { acks: count % 3 === 0 ? 'all' : 'majority' })
      longestMs = Math.max(longestMs, cluster.clock.nowMs() - startMs)
      stored.push(`${at}-${count}`)
    }
  }
  const producers = Promise.all(cluster.ids.map(produce))
  producers.catch(() => {})
  for (let round = 0; round < 12; round++) {
    const [at, to] = [1 + (round % 3), 1 + ((round * 2 + 1) % 3)]
    await cluster.finish(cluster.services(at).moves.move(topic, 0, brokerId(to)))
    await cluster.until(() => assert.equal(cluster.leaderOf(topic), to), { withinMs: 1_000 })
    await cluster.pass(30)
  }
  isOver = true
  await cluster.finish(producers)
  await cluster.pass(100)
  const read = await cluster.read(1, topic)
  assert.deepEqual(read.toSorted(), stored.toSorted())
  assert.ok(longestMs <= 250, `The longest request took ${longestMs} ms.`)
})

test('what is proposed during a transfer that is given up is stored by the old leader', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [target] = cluster.others(leader) as [number]
  const { group } = topic.partitions[0]!
  const replica = cluster.broker(leader).partition(group)!.replica
  // Nothing reaches the target, and the detector has not noticed yet.
  cluster.network.cut(brokerId(leader), brokerId(target))
  await cluster.finish(replica.transfer(brokerId(target)))
  const startMs = cluster.clock.nowMs()
  await cluster.finish(cluster.append(leader, topic, 'patient'))
  const tookMs = cluster.clock.nowMs() - startMs
  assert.ok(tookMs > 500 && tookMs < 1_200, `It took ${tookMs} ms.`)
  assert.equal(replica.isLeader, true)
})

test('a broker that holds no replica, is cut off, or leads already', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [one, other] = cluster.others(leader) as [number, number]
  const move = (to: number) => cluster.services(one).moves.move(topic, 0, brokerId(to))
  const error = await cluster.refused(move(9), 'not-a-replica')
  assert.deepEqual(error.facts['replicas'], topic.partitions[0]!.replicas.map(String))
  await cluster.finish(move(leader))
  await cluster.kill(other)
  await cluster.pass(1_500)
  await cluster.refused(move(other), 'not-enough-in-sync')
  assert.equal(cluster.leaderOf(topic), leader)
})

test('a broker that does not answer an order to hand over is as good as none that leads', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const [asking, target] = cluster.others(leader) as [number, number]
  const { group } = topic.partitions[0]!
  const order = () => cluster.services(asking).moves.order(brokerId(leader), group, brokerId(target))
  // The link breaks while the order is on its way, and is not there for the next one.
  const lost = assert.rejects(order(), { name: 'SynodError', code: 'no-leader' })
  cluster.network.cut(brokerId(asking), brokerId(leader))
  await cluster.finish(lost)
  await cluster.finish(assert.rejects(order(), { name: 'SynodError', code: 'no-leader' }))
})
