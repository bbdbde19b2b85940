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
