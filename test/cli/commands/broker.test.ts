import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as broker from '../../../src/cli/commands/broker.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import { runCommand } from '../run-command.ts'

const OPERATION = {
  id: 'op3',
  kind: 'drain-broker',
  state: 'running',
  broker: '4',
  stepsDone: 1,
  stepsTotal: 6,
  startedAt: '2026-01-31T12:00:00.000Z',
}

test('synod broker list shows who holds what', async (t) => {
  const item = {
    id: '4',
    url: 'http://127.0.0.1:8083',
    state: 'alive',
    membership: 'draining',
    failureDomain: 'rack-2',
    leaderCount: 1,
    replicaCount: 7,
    diskFreeBytes: 2048,
    lag: { slots: 12, ms: 40 },
  }
  const { url } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 200, { items: [item] }),
  )
  const { lines } = await runCommand(broker, 'broker', 'list', '--url', url)
  assert.match(lines[0] ?? '', /4 +http:\/\/127\.0\.0\.1:8083 +alive +draining +rack-2 +1 +7 +2\.0 KiB +12/)
  const json = await runCommand(broker, 'broker', 'list', '--json', '--url', url)
  assert.deepEqual(JSON.parse(json.lines[0] ?? ''), [item])
})

test('synod broker drain starts an operation and says how to follow it', async (t) => {
  const { url, requests } = await startFakeCluster(t, (_request, response) =>
    sendJson(response, 202, OPERATION),
  )
  const { lines, notes } = await runCommand(broker, 'broker', 'drain', '4', '--url', url)
  assert.deepEqual(lines, ['op3 (drain-broker, broker 4) is running, 1 of 6 steps'])
  assert.deepEqual(notes, ['Follow it with: synod operation wait op3'])
  assert.equal(`${requests[0]?.method} ${requests[0]?.url}`, 'POST /v1/brokers/4/drain')
})

test('synod broker drain --undo takes a broker back', async (t) => {
  const { url, requests } = await startFakeCluster(t, (_request, response) => response.writeHead(204).end())
  const { lines } = await runCommand(broker, 'broker', 'drain', '4', '--undo', '--url', url)
  assert.deepEqual(lines, ['Broker 4 may hold replicas again.'])
  assert.equal(`${requests[0]?.method} ${requests[0]?.url}`, 'DELETE /v1/brokers/4/drain')
})

test('synod broker remove --force --wait waits until the broker is gone', async (t) => {
  let lookCount = 0
  const { url, requests } = await startFakeCluster(t, (request, response) => {
    if (request.method === 'DELETE') return sendJson(response, 202, OPERATION)
    // A broker that goes away meanwhile is no failure.
    if (++lookCount === 1) return void response.socket?.destroy()
    return sendJson(response, 200, { ...OPERATION, state: 'done', stepsDone: 6 })
  })
  const { lines } = await runCommand(broker, 'broker', 'remove', '4', '--force', '--wait', '--url', url)
  assert.deepEqual(lines, ['op3 (drain-broker, broker 4) is done, 6 of 6 steps'])
  assert.equal(`${requests[0]?.method} ${requests[0]?.url}`, 'DELETE /v1/brokers/4?force=true')
})
