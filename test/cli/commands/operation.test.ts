import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as operation from '../../../src/cli/commands/operation.ts'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import { runCommand } from '../run-command.ts'

const MOVE = {
  id: 'op7',
  kind: 'move-replicas',
  state: 'running',
  topic: 'orders',
  partition: 3,
  replicas: ['4', '1'],
  stepsDone: 1,
  stepsTotal: 2,
  startedAt: '2026-01-31T12:00:00.000Z',
}

test('synod operation list shows each with its subject and steps', async (t) => {
  const { url } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 200, { items: [MOVE] }),
  )
  const { lines } = await runCommand(operation, 'operation', 'list', '--url', url)
  assert.match(lines[0] ?? '', /op7 +move-replicas +partition 3 of orders to 4, 1 +running +1\/2/)
})

test('synod operation list says when there are none', async (t) => {
  const { url } = await startFakeCluster(t, (_request, response) => sendJson(response, 200, { items: [] }))
  const { lines } = await runCommand(operation, 'operation', 'list', '--url', url)
  assert.deepEqual(lines, ['There are no operations.'])
})

test('synod operation wait ends with an error when the operation failed', async (t) => {
  let lookCount = 0
  const { url } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 200, ++lookCount === 1 ? MOVE : { ...MOVE, state: 'failed', problem: 'No.' }),
  )
  const run = runCommand(operation, 'operation', 'wait', 'op7', '--url', url)
  await assert.rejects(run, (error: Error & { exitCode?: number }) => {
    assert.match(error.message, /is failed, 1 of 2 steps: No\./)
    assert.equal(error.exitCode, EXIT.refused)
    return true
  })
})

test('synod operation cancel shows what it has become', async (t) => {
  const { url, requests } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 200, { ...MOVE, state: 'cancelled' }),
  )
  const { lines } = await runCommand(operation, 'operation', 'cancel', 'op7', '--json', '--url', url)
  assert.equal((JSON.parse(lines[0] ?? '') as { state: string }).state, 'cancelled')
  assert.equal(`${requests[0]?.method} ${requests[0]?.url}`, 'POST /v1/operations/op7/cancel')
})

test('an id that is none is wrong usage', async () => {
  await assert.rejects(runCommand(operation, 'operation', 'show', 'seven'), /op7/)
})
