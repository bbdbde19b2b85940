import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { launchDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { launchBroker } from '../support/served-broker.ts'
import { mountSmallDisk } from '../support/small-disk.ts'
import { tempDir } from '../support/temp-dir.ts'
import { call, json, produce, topicOf } from './api.ts'
import { assertStored } from './assert-stored.ts'
import { acknowledgedBeyond, LoadProducer } from './producers.ts'
import { readAll } from './read-all.ts'

const MIB = 1024 * 1024
/** A little more than what must stay free for writes to be taken. */
const DISK_MIB = 700
const CREATE = ['--auto-create-topics']

test('Refuses writes on a disk that is nearly full, goes on reading, and takes writes again when there is room', async (t) => {
  const disk = mountSmallDisk(DISK_MIB)
  if (typeof disk === 'string') return t.skip(disk)
  try {
    const broker = await launchBroker(disk.folder, CREATE)
    assert.equal((await produce(broker.url, 'orders', 'before')).status, 201)
    disk.fill(300 * MIB)
    await eventually(
      async () => {
        const refused = await produce(broker.url, 'orders', 'during', { 'idempotency-key': 'during' })
        assert.equal(refused.status, 507)
        assert.equal(refused.body['code'], 'disk-full')
        assert.equal(refused.body['sideEffects'], 'none')
        assert.equal(refused.body['retryable'], true)
      },
      { timeoutMs: 10_000 },
    )
    const values = async (): Promise<readonly string[]> =>
      (await readAll(broker.url, 'orders', 1)).map(({ value }) => value)
    const kept = await values()
    assert.equal(kept[0], 'before', 'what is stored can still be read')
    assert.equal((await call(broker.url, '/readyz')).status, 200)
    disk.relieve()
    await eventually(async () => assert.equal((await produce(broker.url, 'orders', 'after')).status, 201), {
      timeoutMs: 10_000,
    })
    assert.deepEqual(await values(), [...kept, 'after'])
    assert.equal((await broker.stop()).code, 0)
  } finally {
    disk.remove()
  }
})

test('Stops in one sentence when the disk takes no more, and has all that it acknowledged at the next start', async (t) => {
  const disk = mountSmallDisk(DISK_MIB)
  if (typeof disk === 'string') return t.skip(disk)
  try {
    const first = await launchBroker(disk.folder, CREATE)
    const acknowledged = new Map<number, string>()
    const load = Promise.all(
      [0, 1, 2, 3].map((each) => produceUntilRefused(first.url, `p${each}`, acknowledged)),
    )
    await eventually(() => assert.ok(acknowledged.size > 50))
    disk.fill(0)
    await createTopicsUntilGone(first.url)
    const { code, stderr } = await first.ended
    await load
    assert.equal(code, 73, stderr)
    const last = stderr.trimEnd().split('\n').at(-1) ?? ''
    assert.match(last, /^synod: .*No space left on device/)
    assert.doesNotMatch(stderr, /\n\s+at /, 'no stack')

    disk.relieve()
    const second = await launchBroker(disk.folder, CREATE)
    const stored = await readAll(second.url, 'orders', 1)
    for (const [offset, value] of acknowledged) assert.equal(stored[offset]?.value, value)
    assert.equal((await produce(second.url, 'orders', 'again')).status, 201)
    assert.equal((await second.stop()).code, 0)
    t.diagnostic(`${acknowledged.size} acknowledged, ${stored.length} stored`)
  } finally {
    disk.remove()
  }
})

test('Goes on with the others when one disk takes no more, and has that broker back when there is room', async (t) => {
  const folder = tempDir(t)
  const full = join(folder, 'broker-2')
  mkdirSync(full)
  const disk = mountSmallDisk(DISK_MIB, full)
  if (typeof disk === 'string') return t.skip(disk)
  try {
    const cluster = await launchDev({ folder })
    try {
      const { url } = cluster.broker('1')
      const topic = await topicLedElsewhere(url, '2')
      const { pid } = cluster.broker('2')
      const producers = ['a', 'b'].map(
        (name) => new LoadProducer({ urls: () => [url, cluster.broker('3').url], topic, name }),
      )
      await acknowledgedBeyond(producers, 50)
      disk.fill(0)
      await eventually(() => assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' }), {
        timeoutMs: 15_000,
      })
      const atDeath = producers.flatMap((producer) => producer.acknowledged).length
      await acknowledgedBeyond(producers, atDeath + 100)
      disk.relieve()
      await eventually(
        async () => assert.equal((await topicOf(url, topic)).partitions[0]?.inSync?.length, 3),
        { timeoutMs: 30_000 },
      )
      await Promise.all(producers.map((producer) => producer.stop()))
      await assertStored(cluster, topic, 1, producers)
    } finally {
      await cluster.stop()
    }
  } finally {
    disk.remove()
  }
})

async function topicLedElsewhere(url: string, broker: string): Promise<string> {
  for (const topic of ['one', 'two', 'three', 'four', 'five', 'six']) {
    assert.equal((await call(url, `/v1/topics/${topic}`, json('PUT', {}))).status, 201)
    const leader = await eventually(async () => {
      const found = (await topicOf(url, topic)).partitions[0]?.leader
      assert.ok(found)
      return found
    })
    if (leader !== broker) return topic
  }
  throw new Error(`Broker ${broker} leads every topic.`)
}

/** Records may be refused by now; what the broker does for itself is not, and meets the end of the disk. */
async function createTopicsUntilGone(url: string): Promise<void> {
  for (let number = 0; number < 200; number++) {
    try {
      await call(url, `/v1/topics/extra-${number}`, json('PUT', {}))
    } catch {
      return
    }
  }
}

/** Ends when the broker refuses or is gone. */
async function produceUntilRefused(
  url: string,
  name: string,
  acknowledged: Map<number, string>,
): Promise<void> {
  for (let number = 0; ; number++) {
    const value = `${name}-${number}-${'x'.repeat(20_000)}`
    try {
      const { status, body } = await produce(url, 'orders', value)
      if (status !== 201) return
      acknowledged.set(body['offset'] as number, value)
    } catch {
      return
    }
  }
}
