import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as cluster from '../../../src/cli/commands/cluster.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import { runCommand } from '../run-command.ts'

const BROKERS = [
  { id: '1', url: 'http://127.0.0.1:8080', state: 'alive', version: '0.1.0', leaderCount: 3 },
  { id: '2', url: 'http://127.0.0.1:8081', state: 'dead', version: '0.1.0', leaderCount: 0 },
]

test('synod cluster shows brokers and controller', async (t) => {
  const { url } = await startFakeCluster(t, (request, response) =>
    sendJson(
      response,
      200,
      request.url === '/v1/cluster' ? { id: 'c1', controller: '1' } : { items: BROKERS },
    ),
  )
  const text = (await runCommand(cluster, 'cluster', '--url', url)).lines.join('\n')
  assert.match(text, /cluster c1/)
  assert.match(text, /1 +http:\/\/127\.0\.0\.1:8080 +alive +3 +controller +0\.1\.0/)
  assert.match(text, /2 +http:\/\/127\.0\.0\.1:8081 +dead +0/)
  const json = (await runCommand(cluster, 'cluster', '--json', '--url', url)).lines
  assert.deepEqual(JSON.parse(json[0] ?? ''), { id: 'c1', controller: '1', brokers: BROKERS })
})
