import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CommanderError } from 'commander'
import * as topic from '../../../src/cli/commands/topic.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import { runCommand } from '../run-command.ts'

const ORDERS = {
  name: 'orders',
  id: 't1',
  createdAt: '2026-11-22T10:00:00.000Z',
  config: { retentionMs: null },
  partitions: [
    {
      partition: 0,
      leader: '2',
      replicas: ['1', '2', '3'],
      inSync: ['1', '2'],
      logStart: 0,
      highWatermark: 42,
      sizeBytes: 2048,
    },
    {
      partition: 1,
      leader: null,
      replicas: ['1', '2', '3'],
      inSync: null,
      logStart: null,
      highWatermark: null,
      sizeBytes: null,
    },
  ],
}

describe('synod topic', () => {
  test('lists all pages', async (t) => {
    const cluster = await startFakeCluster(t, ({ url }, response) => {
      const isSecond = url.includes('pageToken=next')
      sendJson(
        response,
        200,
        isSecond
          ? { items: [{ name: 'c' }] }
          : { items: [{ name: 'a' }, { name: 'b' }], nextPageToken: 'next' },
      )
    })
    const { lines } = await runCommand(topic, 'topic', 'list', '--prefix', 'x', '--url', cluster.url)
    assert.deepEqual(lines, ['a', 'b', 'c'])
    assert.equal(cluster.requests[0]?.url, '/v1/topics?prefix=x')
    const json = await runCommand(topic, 'topic', 'list', '--json', '--url', cluster.url)
    assert.deepEqual(json.lines, ['{"topics":["a","b","c"]}'])
  })

  test('creates with what was asked for and nothing else', async (t) => {
    const cluster = await startFakeCluster(t, (_, response) => sendJson(response, 201, ORDERS))
    const args = [
      '--partitions',
      '2',
      '--config',
      'retentionMs=60000',
      '--config',
      'closed=false',
      '--url',
      cluster.url,
    ]
    const { lines } = await runCommand(topic, 'topic', 'create', 'orders', ...args)
    assert.deepEqual(lines, ['Created orders with 2 partitions.'])
    assert.equal(cluster.requests[0]?.method, 'PUT')
    assert.deepEqual(JSON.parse(cluster.requests[0]?.body ?? ''), {
      partitions: 2,
      config: { retentionMs: 60000, closed: false },
    })
  })

  test('says so when the topic is there already', async (t) => {
    const cluster = await startFakeCluster(t, (_, response) => sendJson(response, 200, ORDERS))
    const { lines } = await runCommand(topic, 'topic', 'create', 'orders', '--url', cluster.url)
    assert.deepEqual(lines, ['Nothing to do, there is already orders with 2 partitions.'])
  })

  test('shows the partitions, unknown parts as a question mark', async (t) => {
    const cluster = await startFakeCluster(t, (_, response) => sendJson(response, 200, ORDERS))
    const text = (await runCommand(topic, 'topic', 'show', 'orders', '--url', cluster.url)).lines.join('\n')
    assert.match(text, /0 +2 +1,2,3 +1,2 +0 +42 +2\.0 KiB/)
    assert.match(text, /1 +none +1,2,3 +\? +\? +\? +\?/)
    assert.match(text, /retentionMs=null/)
  })

  test('trims a partition and says where it begins', async (t) => {
    const answer = { topic: 'orders', partition: 1, logStart: 40 }
    const cluster = await startFakeCluster(t, (_, response) => sendJson(response, 200, answer))
    const args = ['topic', 'trim', 'orders', '--partition', '1', '--before', '42', '--url', cluster.url]
    assert.deepEqual((await runCommand(topic, ...args)).lines, ['Partition 1 of orders begins at offset 40.'])
    assert.equal(cluster.requests[0]?.url, '/v1/topics/orders/partitions/1/trim')
    assert.equal(cluster.requests[0]?.body, '{"beforeOffset":42}')
    assert.deepEqual((await runCommand(topic, ...args, '--json')).lines, [JSON.stringify(answer)])
    for (const offset of ['-1', 'ten', '9007199254740993'])
      await assert.rejects(
        runCommand(topic, 'topic', 'trim', 'orders', '--partition', '1', '--before', offset),
        CommanderError,
      )
  })

  test('deletes only with --yes, and escapes the name', async (t) => {
    const cluster = await startFakeCluster(t, (_, response) => void response.writeHead(204).end())
    await assert.rejects(
      runCommand(topic, 'topic', 'delete', 'orders', '--url', cluster.url),
      (error) => error instanceof CommandError && error.exitCode === EXIT.usage,
    )
    assert.equal(cluster.requests.length, 0)
    const { lines } = await runCommand(topic, 'topic', 'delete', 'a/b', '--yes', '--url', cluster.url)
    assert.deepEqual(lines, ['Deleted a/b.'])
    assert.equal(cluster.requests[0]?.url, '/v1/topics/a%2Fb')
  })

  test('refuses arguments that are no numbers or no settings', async () => {
    await assert.rejects(runCommand(topic, 'topic', 'create', 'a', '--partitions', 'two'), CommanderError)
    await assert.rejects(runCommand(topic, 'topic', 'create', 'a', '--config', 'retention'), CommanderError)
    await assert.rejects(runCommand(topic, 'topic', 'create'), CommanderError)
  })
})
