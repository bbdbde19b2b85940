import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BalanceRounds } from '../../src/controller/balance-rounds.ts'
import { SETTLED_AFTER_MS } from '../../src/controller/balance.ts'
import { SynodError } from '../../src/errors.ts'
import { brokerId, groupId } from '../../src/types/ids.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'
import { TestCluster } from '../support/cluster.ts'
import type { Topic } from '../../src/types/topic.ts'

const ON = { config: { leaderBalance: 'on' } } as const

function preferredCount(cluster: TestCluster, topic: Topic): number {
  return topic.partitions.filter(
    ({ partition, replicas }) => cluster.leaderOf(topic, partition) === replicas[0],
  ).length
}

test('a broker that returned leads its partitions again after a minute, and no request fails', async (t) => {
  const cluster = await TestCluster.start(t, ON)
  const topic = await cluster.topic('orders', {}, 12)
  await cluster.kill(3)
  await cluster.until(() => assert.ok(preferredCount(cluster, topic) < 12))
  await cluster.pass(3_000)
  await cluster.open(3)
  await cluster.allReady()
  await cluster.pass(45_000)
  const own = topic.partitions.filter(({ replicas }) => replicas[0] === 3)
  for (const { partition } of own) assert.notEqual(cluster.leaderOf(topic, partition), 3)
  const partition = own[0]!.partition
  await cluster.until(() => assert.equal(preferredCount(cluster, topic), 12), { withinMs: 40_000 })
  const receipt = await cluster.finish(cluster.append(1, topic, 'after', { partition }))
  assert.equal(Number(receipt.leader), 3)
})

test('another controller goes on where one died', async (t) => {
  const cluster = await TestCluster.start(t, { ...ON, size: 5 })
  const topic = await cluster.topic('orders', {}, 10)
  const controller = cluster.services(1).status.controller()!
  const away = cluster.others(controller)[0]!
  await cluster.kill(away)
  await cluster.pass(3_000)
  await cluster.open(away)
  await cluster.allReady()
  await cluster.kill(controller)
  await cluster.until(
    () => {
      for (const { partition, replicas } of topic.partitions)
        if (replicas[0] === away) assert.equal(cluster.leaderOf(topic, partition), away)
    },
    { withinMs: 100_000 },
  )
})

test('where the balance is off leaders stay where they are', async (t) => {
  const cluster = await TestCluster.start(t)
  await cluster.topic('orders', {}, 6)
  await cluster.kill(3)
  await cluster.pass(3_000)
  await cluster.open(3)
  await cluster.allReady()
  await cluster.pass(90_000)
  assert.equal(cluster.broker(3).engine.registry.leaderCount, 0)
})

test('a move that comes to nothing is ordered again in the next round', async () => {
  const clock = new VirtualClock()
  const [giver, taker] = [brokerId(1), brokerId(2)]
  const ordered: number[] = []
  const fatal: unknown[] = []
  const rounds = new BalanceRounds({
    isController: () => true,
    brokers: () => [giver, taker],
    shares: () =>
      new Map([
        [giver, 0],
        [taker, 1],
      ]),
    ask: (broker) =>
      Promise.resolve({
        upMs: SETTLED_AFTER_MS + 1,
        isUnfit: false,
        ledCount: broker === giver ? 1 : 0,
        strays: broker === giver ? [{ group: groupId(7), to: taker }] : [],
      }),
    move: ({ group }) => {
      ordered.push(group)
      return Promise.reject(new SynodError('no-leader', 'Broker 1 does not answer.'))
    },
    later: (run, delayMs) => clock.later(run, delayMs),
    say: () => assert.fail('Nothing was moved.'),
    fatal: (error) => fatal.push(error),
  })
  rounds.start()
  for (let second = 0; second < 13; second++) {
    clock.advance(1_000)
    await turns(2)
  }
  rounds.stop()
  assert.deepEqual(fatal, [])
  assert.deepEqual(ordered.slice(0, 3), [7, 7, 7])
})
