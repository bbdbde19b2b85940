import assert from 'node:assert/strict'
import { test } from 'node:test'
import { initialState } from '../../src/paxos/state.ts'
import { groupId } from '../../src/types/ids.ts'
import { TestCluster } from '../support/cluster.ts'

/** Long enough that a kill finds nothing of what was applied in the index. */
const LAZY = { indexDelayMs: 60_000 }

test('brokers that are killed come back with every record', async (t) => {
  for (const tuning of [{}, LAZY]) {
    const cluster = await TestCluster.start(t, { tuning })
    const topic = await cluster.topic()
    await cluster.finish(cluster.append(1, topic, ['a', 'b']))
    await cluster.finish(cluster.append(2, topic, 'c'))
    for (const id of cluster.ids) await cluster.kill(id)
    for (const id of cluster.ids) await cluster.open(id)
    await cluster.allReady()
    const found = await cluster.finish(cluster.services(2).directory.find('orders'))
    assert.deepEqual(found, topic)
    await cluster.finish(cluster.append(3, topic, 'd'))
    assert.deepEqual(await cluster.finish(cluster.read(cluster.leaderOf(topic), topic)), ['a', 'b', 'c', 'd'])
  }
})

test('a broker that is killed right after a topic was deleted starts again without it', async (t) => {
  for (const isKnown of [false, true]) {
    const cluster = await TestCluster.start(t, { tuning: isKnown ? { indexDelayMs: 2_000 } : LAZY })
    const topic = await cluster.topic()
    if (isKnown) await cluster.pass(3_000)
    await cluster.finish(cluster.services(1).directory.delete('orders', undefined))
    const { group } = topic.partitions[0]!
    await cluster.until(() => {
      for (const broker of cluster.brokers) assert.ok(broker.store.wasDeleted(group))
    })
    await cluster.pass(50)
    for (const id of cluster.ids) await cluster.kill(id)
    for (const id of cluster.ids) await cluster.open(id)
    await cluster.allReady()
    assert.equal(await cluster.finish(cluster.services(1).directory.find('orders')), undefined)
    const again = await cluster.topic()
    assert.notEqual(again.partitions[0]!.group, group)
    await cluster.finish(cluster.append(1, again, 'anew'))
  }
})

test('a broker that was away while topics were created and deleted has what is there now', async (t) => {
  const cluster = await TestCluster.start(t)
  const before = await cluster.topic('before')
  const away = cluster.others(cluster.leaderOf(before))[0]!
  await cluster.kill(away)
  const { directory } = cluster.brokers[0]!.services
  await cluster.finish(directory.delete('before', undefined))
  const spec = { partitions: undefined, replicationFactor: 3, config: {} }
  const { topic } = await cluster.finish(directory.create('after', spec))
  const broker = await cluster.open(away)
  await cluster.allReady()
  await cluster.until(() => {
    assert.equal(broker.partition(before.partitions[0]!.group), undefined)
    assert.ok(broker.store.wasDeleted(before.partitions[0]!.group))
    assert.ok(broker.partition(topic.partitions[0]!.group) !== undefined)
  })
  await cluster.finish(cluster.append(away, topic, 'a'))
})

test('a group that no metadata ever named is reported and kept', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const stranger = groupId(999)
  const { store } = cluster.broker(1)
  const { configuration } = cluster.broker(1).control.group.replica.paxos
  store.append({
    group: stranger,
    writes: [{ kind: 'state', state: initialState(configuration) }],
    onDurable: () => {},
  })
  await cluster.stop(1)
  const broker = await cluster.open(1)
  await cluster.allReady()
  assert.match(broker.warnings.join(), /holds 1 groups that the metadata does not name: 999\. They are kept/)
  assert.equal(broker.store.wasDeleted(stranger), false)
})

test('what a stop left of a topic that was deleted is freed at the next start', async (t) => {
  const cluster = await TestCluster.start(t, { size: 4 })
  const topic = await cluster.topic()
  const { group, replicas } = topic.partitions[0]!
  const outside = cluster.ids.find((id) => !replicas.map(Number).includes(id))!
  const { configuration } = cluster.broker(Number(replicas[0])).partition(group)!.replica.paxos
  cluster.broker(outside).store.append({
    group,
    writes: [{ kind: 'state', state: initialState(configuration) }],
    onDurable: () => {},
  })
  await cluster.finish(cluster.services(outside).directory.delete('orders', undefined))
  await cluster.stop(outside)
  const broker = await cluster.open(outside)
  await cluster.allReady()
  await cluster.until(() => assert.ok(broker.store.wasDeleted(group)))
  assert.deepEqual(broker.warnings, [])
})

test('a broker whose store lost a partition that was placed here does not start', async (t) => {
  const cluster = await TestCluster.start(t, { size: 1 })
  const topic = await cluster.topic()
  const { group } = topic.partitions[0]!
  const broker = cluster.broker(1)
  broker.engine.registry.remove(group)
  assert.throws(() => broker.engine.hosting.openAll([topic]), new RegExp(`nothing of group ${group}, which`))
})

test('new settings of a topic hold at once where it is led', async (t) => {
  const cluster = await TestCluster.start(t)
  const topic = await cluster.topic()
  const leader = cluster.leaderOf(topic)
  const { directory } = cluster.services(leader)
  const change = { config: { minInSync: 3 }, partitions: undefined }
  await cluster.kill(cluster.others(leader)[0]!)
  await cluster.pass(1_500)
  await cluster.finish(cluster.append(leader, topic, 'a'))
  await cluster.finish(directory.alter('orders', change, undefined))
  await cluster.refused(cluster.append(leader, topic, 'b'), 'not-enough-in-sync')
})
