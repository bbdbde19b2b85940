import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as partition from '../../../src/cli/commands/partition.ts'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import { runCommand } from '../run-command.ts'

test('synod partition move asks for another leader', async (t) => {
  const { url, requests } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 202, { broker: '3' }),
  )
  const { lines } = await runCommand(
    partition,
    'partition',
    'move',
    'orders',
    '4',
    '--leader',
    '3',
    '--url',
    url,
  )
  assert.deepEqual(lines, ['Broker 3 is about to lead partition 4 of orders.'])
  const [request] = requests
  assert.equal(`${request?.method} ${request?.url}`, 'POST /v1/topics/orders/partitions/4/leader')
  assert.equal(request?.body, '{"broker":"3"}')
  const json = await runCommand(
    partition,
    'partition',
    'move',
    'orders',
    '4',
    '--leader',
    '3',
    '--json',
    '--url',
    url,
  )
  assert.deepEqual(JSON.parse(json.lines[0] ?? ''), { topic: 'orders', partition: 4, leader: '3' })
})

test('synod partition move says why a broker cannot lead', async (t) => {
  const { url } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 409, {
      code: 'not-a-replica',
      detail: 'Broker 9 holds no replica.',
      hint: 'Choose one of 1, 2.',
    }),
  )
  const run = runCommand(partition, 'partition', 'move', 'orders', '0', '--leader', '9', '--url', url)
  await assert.rejects(run, (error: Error & { exitCode?: number }) => {
    assert.match(error.message, /holds no replica/)
    assert.notEqual(error.exitCode, EXIT.ok)
    return true
  })
})

test('synod partition move --replicas starts an operation', async (t) => {
  const operation = {
    id: 'op1',
    kind: 'move-replicas',
    state: 'running',
    topic: 'orders',
    partition: 4,
    replicas: ['1', '2', '4'],
    stepsDone: 0,
    stepsTotal: 2,
    startedAt: '2026-01-31T12:00:00.000Z',
  }
  const { url, requests } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 202, operation),
  )
  const move = ['partition', 'move', 'orders', '4', '--url', url]
  const { lines } = await runCommand(partition, ...move, '--replicas', '1, 2,4')
  assert.deepEqual(lines, ['op1 (move-replicas, partition 4 of orders to 1, 2, 4) is running, 0 of 2 steps'])
  assert.equal(`${requests[0]?.method} ${requests[0]?.url}`, 'PUT /v1/topics/orders/partitions/4/replicas')
  assert.equal(requests[0]?.body, '{"brokers":["1","2","4"]}')
  await assert.rejects(runCommand(partition, ...move), /either --leader or --replicas/)
  await assert.rejects(runCommand(partition, ...move, '--replicas', 'one'), /ids of brokers/)
})
