import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { readClusterFile } from '../../../src/cli/dev/cluster-file.ts'
import { freePorts } from '../../../src/cli/dev/ports.ts'
import { forgetBroker, prepareCluster } from '../../../src/cli/dev/prepare.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { tempDir } from '../../support/temp-dir.ts'

const HOST = '127.0.0.1'

async function take(t: TestContext, port: number): Promise<void> {
  const server = createServer().listen(port, HOST)
  await once(server, 'listening')
  t.after(() => server.close())
}

describe('prepareCluster', () => {
  test('makes a cluster at the first start and finds the same one later', async (t) => {
    const folder = tempDir(t)
    const first = await prepareCluster(folder, { port: 0, host: HOST })
    assert.deepEqual(
      first.cluster.brokers.map(({ id }) => id),
      [1, 2, 3],
    )
    assert.deepEqual(readClusterFile(folder), first.cluster)
    const second = await prepareCluster(folder, { host: HOST })
    assert.deepEqual(second, first)
    assert.deepEqual((await prepareCluster(folder, { brokers: 3, host: HOST })).cluster, first.cluster)
  })

  test('gives the public ports in a row from --port on, and new ones when asked', async (t) => {
    const folder = tempDir(t)
    const [port = 0] = await freePorts(1, HOST, new Set())
    const { cluster } = await prepareCluster(folder, { brokers: 1, port, host: HOST })
    assert.equal(cluster.brokers[0]?.publicPort, port)
    const moved = await prepareCluster(folder, { port: 0, host: HOST })
    assert.notEqual(moved.cluster.brokers[0]?.publicPort, port)
    assert.equal(moved.cluster.clusterSecret, cluster.clusterSecret)
    assert.equal(moved.cluster.brokers[0]?.internalPort, cluster.brokers[0]?.internalPort)
  })

  test('adds brokers to a cluster, and never under the id of one that was removed', async (t) => {
    const folder = tempDir(t)
    const { cluster } = await prepareCluster(folder, { brokers: 3, port: 0, host: HOST })
    const grown = await prepareCluster(folder, { brokers: 5, host: HOST })
    assert.deepEqual(grown.cluster.brokers.slice(0, 3), cluster.brokers)
    assert.deepEqual(
      grown.cluster.brokers.map(({ id }) => id),
      [1, 2, 3, 4, 5],
    )
    assert.equal(new Set(grown.cluster.brokers.flatMap((broker) => Object.values(broker))).size, 15)
    for (const id of [4, 5]) mkdirSync(join(folder, `broker-${id}`))
    forgetBroker(folder, '5')
    const again = await prepareCluster(folder, { brokers: 5, host: HOST })
    assert.deepEqual(
      again.cluster.brokers.map(({ id }) => id),
      [1, 2, 3, 4, 6],
    )
  })

  test('says how a cluster gets fewer brokers', async (t) => {
    const folder = tempDir(t)
    await prepareCluster(folder, { brokers: 3, port: 0, host: HOST })
    await assert.rejects(
      prepareCluster(folder, { brokers: 2, host: HOST }),
      (error) =>
        error instanceof CommandError &&
        error.exitCode === EXIT.usage &&
        /has 3 brokers, not 2/.test(error.message) &&
        /synod broker remove/.test(error.hint ?? ''),
    )
  })

  test('refuses a number of brokers out of bounds and ports beyond the last', async (t) => {
    const isUsage = (error: unknown): boolean =>
      error instanceof CommandError && error.exitCode === EXIT.usage
    await assert.rejects(prepareCluster(tempDir(t), { brokers: 0, host: HOST }), isUsage)
    await assert.rejects(prepareCluster(tempDir(t), { brokers: 8, host: HOST }), isUsage)
    await assert.rejects(prepareCluster(tempDir(t), { port: 65_534, host: HOST }), isUsage)
  })

  test('names a public port that is taken and what to do', async (t) => {
    const [port = 0] = await freePorts(1, HOST, new Set())
    await take(t, port)
    await assert.rejects(
      prepareCluster(tempDir(t), { brokers: 1, port, host: HOST }),
      (error) =>
        error instanceof CommandError &&
        error.exitCode === EXIT.unavailable &&
        error.message === `Port ${port} on ${HOST} is taken by another process.` &&
        /--port 0/.test(error.hint ?? ''),
    )
  })

  test('draws new internal ports when one was taken meanwhile, and says so', async (t) => {
    const folder = tempDir(t)
    const { cluster } = await prepareCluster(folder, { port: 0, host: HOST })
    const before = cluster.brokers.map(({ internalPort }) => internalPort)
    await take(t, before[1] ?? 0)
    const again = await prepareCluster(folder, { host: HOST })
    assert.equal(again.notes.length, 1)
    assert.notDeepEqual(
      again.cluster.brokers.map(({ internalPort }) => internalPort),
      before,
    )
    assert.deepEqual(readClusterFile(folder), again.cluster)
  })
})
