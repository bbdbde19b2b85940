import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PeerLost } from '../../src/transport/transport.ts'
import { CONTROLLER_GROUP } from '../../src/types/ids.ts'
import { TestCluster } from '../support/cluster.ts'
import { turns } from '../support/virtual-clock.ts'

const PLAIN = { partitions: undefined, replicationFactor: undefined, config: {} }

/** The broker that leads the metadata, and the others. */
async function withController(t: Parameters<typeof TestCluster.start>[0], size = 3) {
  const cluster = await TestCluster.start(t, { size })
  const controller = () => cluster.brokers.find((broker) => broker.control.group.isController)!.id
  return { cluster, controller, directory: (id: number) => cluster.services(id).directory }
}

test('a topic that is created on one broker is found on every other at once', async (t) => {
  const { cluster, directory } = await withController(t)
  for (const at of cluster.ids) {
    const { topic, created } = await cluster.finish(directory(at).create(`made-on-${at}`, PLAIN))
    assert.equal(created, true)
    for (const id of cluster.ids)
      assert.deepEqual(await cluster.finish(directory(id).find(topic.name)), topic)
  }
  for (const id of cluster.ids) {
    const listed = directory(id).list({ prefix: 'made-', after: '', limit: 10 })
    assert.deepEqual(
      listed.map(({ name }) => name),
      ['made-on-1', 'made-on-2', 'made-on-3'],
    )
  }
})

test('a topic that was deleted elsewhere is found no more by who asks linearizably', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  await cluster.finish(directory(1).create('orders', PLAIN))
  const [behind, other] = cluster.others(controller()) as [number, number]
  for (const id of cluster.ids)
    await cluster.until(() => cluster.broker(id).control.group.metadata.topic('orders')!.id)
  cluster.isolate(behind)
  await cluster.finish(directory(other).delete('orders', undefined))
  assert.equal((await cluster.finish(directory(behind).find('orders')))?.name, 'orders', 'it knows no better')
  const asked = directory(behind).find('orders', { linearizable: true })
  await cluster.refused(asked, 'no-quorum')
  cluster.network.healAll()
  const find = () => directory(behind).find('orders', { linearizable: true })
  assert.equal(await cluster.finish(find()), undefined)
})

test('who created a topic that was deleted and made anew before the answer came is not told that it made the new one', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const asker = cluster.others(controller())[0]!
  const { transport } = cluster.broker(asker)
  const request = transport.request.bind(transport)
  let anew: string | undefined
  transport.request = async (...call) => {
    const answer = await request(...call)
    transport.request = request
    await directory(controller()).delete('orders', undefined)
    const { topic } = await directory(controller()).create('orders', PLAIN)
    anew = topic.id
    while (cluster.broker(asker).control.group.metadata.topic('orders')?.id !== topic.id) await turns(1)
    return answer
  }
  await cluster.refused(directory(asker).create('orders', PLAIN), 'topic-not-found')
  assert.equal((await cluster.finish(directory(asker).find('orders')))?.id, anew)
})

/** Answers of the controller to `asker` get lost once `meanwhile` has happened; the request is sent again. */
function losesOneAnswer(cluster: TestCluster, asker: number, meanwhile: () => Promise<unknown>): void {
  const { transport } = cluster.broker(asker)
  const request = transport.request.bind(transport)
  transport.request = async (...call) => {
    await request(...call)
    transport.request = request
    await meanwhile()
    throw new PeerLost('The lane broke.')
  }
}

test('a create that is sent again does not make anew what was deleted in between', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const asker = cluster.others(controller())[0]!
  const other = directory(controller())
  losesOneAnswer(cluster, asker, () => other.delete('orders', undefined))
  await cluster.refused(directory(asker).create('orders', PLAIN), 'topic-not-found')
  assert.equal(await cluster.finish(other.find('orders')), undefined)
})

test('an alter that is sent again does not undo what came in between, nor says that it was not done', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const asker = cluster.others(controller())[0]!
  const other = directory(controller())
  await cluster.finish(other.create('orders', PLAIN))
  const more = { config: {}, partitions: 4 }
  losesOneAnswer(cluster, asker, () => other.alter('orders', more, undefined))
  const fewer = { config: { maxLagMs: 5_000 }, partitions: 2 }
  const topic = await cluster.finish(directory(asker).alter('orders', fewer, undefined))
  assert.deepEqual([topic.config.maxLagMs, topic.partitions.length, topic.revision], [5_000, 4, 3])
})

test('a topic that nobody created is not found, and a near name is suggested', async (t) => {
  const { cluster, directory } = await withController(t)
  await cluster.finish(directory(1).create('orders', PLAIN))
  for (const id of cluster.ids) {
    assert.equal(await cluster.finish(directory(id).find('ordres')), undefined)
    assert.equal(directory(id).suggest('ordres'), 'orders')
  }
})

test('many who look for a new name at once share few questions, and none is told an answer from before it asked', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const asker = cluster.others(controller())[0]!
  const { transport } = cluster.broker(asker)
  let questionCount = 0
  const request = transport.request.bind(transport)
  transport.request = (...call) => {
    questionCount++
    return request(...call)
  }
  const early = Array.from({ length: 50 }, () => directory(asker).find('orders'))
  await cluster.finish(directory(controller()).create('orders', PLAIN))
  const late = Array.from({ length: 50 }, () => directory(asker).find('orders'))
  await cluster.finish(Promise.all(early))
  for (const topic of await cluster.finish(Promise.all(late))) assert.equal(topic?.name, 'orders')
  assert.ok(questionCount <= 4, `${questionCount} questions`)
})

test('creating what is there already says so, or what differs', async (t) => {
  const { cluster, directory } = await withController(t)
  await cluster.finish(directory(1).create('orders', { ...PLAIN, partitions: 2 }))
  const again = await cluster.finish(directory(2).create('orders', { ...PLAIN, partitions: 2 }))
  assert.equal(again.created, false)
  const differs = directory(3).create('orders', { ...PLAIN, partitions: 3 })
  assert.ok('differences' in (await cluster.refused(differs, 'topic-config-differs')).facts)
})

test('first produces at once to the same new name create it once', async (t) => {
  const { cluster, directory } = await withController(t)
  const creating = Array.from({ length: 30 }, (_, index) =>
    directory(cluster.ids[index % 3]!).create('orders', PLAIN),
  )
  const outcomes = await cluster.finish(Promise.all(creating))
  assert.equal(outcomes.filter(({ created }) => created).length, 1)
  assert.equal(new Set(outcomes.map(({ topic }) => topic.id)).size, 1)
})

test('a topic is altered and deleted from any broker, if it is still what was read', async (t) => {
  const { cluster, directory } = await withController(t)
  const { topic } = await cluster.finish(directory(1).create('orders', PLAIN))
  const change = { config: { maxLagMs: 5_000 }, partitions: 3 }
  const altered = await cluster.finish(directory(2).alter('orders', change, topic.revision))
  assert.deepEqual([altered.config.maxLagMs, altered.partitions.length], [5_000, 3])
  await cluster.refused(directory(3).alter('orders', change, topic.revision), 'etag-mismatch')
  await cluster.refused(
    directory(3).alter('orders', { ...change, partitions: 1 }, undefined),
    'invalid-config',
  )
  await cluster.refused(directory(3).delete('orders', topic.revision), 'etag-mismatch')
  await cluster.finish(directory(3).delete('orders', altered.revision))
  assert.equal(await cluster.finish(directory(3).find('orders')), undefined)
  await cluster.refused(directory(1).delete('orders', undefined), 'topic-not-found')
  const again = await cluster.finish(directory(1).create('orders', PLAIN))
  assert.notEqual(again.topic.id, topic.id)
})

test('partitions that were added take records as soon as the answer is there', async (t) => {
  const { cluster, directory } = await withController(t)
  await cluster.finish(directory(1).create('orders', PLAIN))
  const topic = await cluster.finish(directory(2).alter('orders', { config: {}, partitions: 4 }, undefined))
  for (let partition = 0; partition < 4; partition++)
    assert.equal((await cluster.finish(cluster.append(2, topic, 'x', { partition }))).baseOffset, 0)
})

test('another broker becomes the controller when the first one dies, and knows all topics', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const { topic } = await cluster.finish(directory(1).create('orders', PLAIN))
  await cluster.kill(controller())
  const [one, other] = cluster.others() as [number, number]
  const created = await cluster.finish(directory(one).create('payments', PLAIN))
  assert.deepEqual(await cluster.finish(directory(other).find('payments')), created.topic)
  assert.deepEqual(await cluster.finish(directory(other).find('orders')), topic)
})

test('without a majority topics are neither made nor looked for in vain, and known ones are still found', async (t) => {
  const { cluster, directory } = await withController(t)
  const { topic } = await cluster.finish(directory(1).create('orders', PLAIN))
  await cluster.until(() =>
    assert.ok(cluster.services(1).directory.list({ prefix: '', after: '', limit: 9 }).length),
  )
  await cluster.kill(2)
  await cluster.kill(3)
  await cluster.pass(3_000)
  await cluster.refused(directory(1).create('payments', PLAIN), 'no-quorum')
  await cluster.refused(directory(1).find('payments'), 'no-quorum')
  assert.deepEqual(await cluster.finish(directory(1).find('orders')), topic)
})

test('a create whose controller dies on the way is done once', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const first = controller()
  const asker = cluster.others(first)[0]!
  const { paxos } = cluster.broker(first).control.group.replica
  const before = paxos.through
  const creating = directory(asker).create('orders', PLAIN)
  await cluster.until(() => assert.ok(paxos.through > before))
  await cluster.kill(first)
  const { topic } = await cluster.finish(creating)
  assert.deepEqual(directory(asker).list({ prefix: '', after: '', limit: 10 }), [topic])
})

test('a delete whose controller dies on the way may be done', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  await cluster.finish(directory(1).create('orders', PLAIN))
  const first = controller()
  const asker = cluster.others(first)[0]!
  const { paxos } = cluster.broker(first).control.group.replica
  const before = paxos.through
  const deleting = directory(asker).delete('orders', undefined)
  await cluster.until(() => assert.ok(paxos.through > before))
  await cluster.kill(first)
  await cluster.refused(deleting, 'outcome-unknown')
})

test('a broker that was away knows what the others decided when it is back', async (t) => {
  const { cluster, controller, directory } = await withController(t)
  const away = cluster.others(controller())[0]!
  await cluster.kill(away)
  const { topic } = await cluster.finish(directory(controller()).create('orders', PLAIN))
  await cluster.open(away)
  await cluster.allReady()
  assert.deepEqual(await cluster.finish(directory(away).find('orders')), topic)
  assert.ok(cluster.broker(away).engine.registry.replica(CONTROLLER_GROUP) !== undefined)
})
