import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ClusterAnswer } from '../../../src/cli/commands/cluster.ts'
import { changesBetween, watchCluster } from '../../../src/cli/dev/watch.ts'
import { eventually } from '../../support/eventually.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'

function look(
  controller: string | undefined,
  ...brokers: (readonly [state: string, leaderCount: number])[]
): ClusterAnswer {
  const items = brokers.map(([state, leaderCount], index) => ({
    id: String(index + 1),
    url: 'http://x',
    state,
    leaderCount,
  }))
  return { id: 'c', controller, brokers: items }
}

describe('changesBetween', () => {
  test('tells of states, the controller and who leads', () => {
    const before = look('1', ['alive', 2], ['alive', 1])
    assert.deepEqual(changesBetween(before, before), [])
    assert.deepEqual(changesBetween(before, look('2', ['dead', 0], ['alive', 3])), [
      'broker 1 is dead',
      'the controller is broker 2',
      'partitions led: broker 1: 0, broker 2: 3',
    ])
    assert.deepEqual(changesBetween(before, look(undefined, ['alive', 2], ['alive', 1])), [
      'there is no controller',
    ])
  })
})

describe('watchCluster', () => {
  test('asks the next broker when one does not answer, and tells each change once', async (t) => {
    let now = look('1', ['alive', 1])
    const { url, requests } = await startFakeCluster(t, (request, response) =>
      sendJson(response, 200, request.url === '/v1/cluster' ? now : { items: now.brokers }),
    )
    const changes: string[] = []
    const watch = watchCluster(() => ['http://127.0.0.1:2', url], {
      everyMs: 5,
      onChange: (change) => void changes.push(change),
    })
    t.after(() => watch.stop())
    await eventually(() => assert.ok(requests.length >= 4))
    assert.deepEqual(changes, [])
    now = look('1', ['draining', 1])
    await eventually(() => assert.deepEqual(changes, ['broker 1 is draining']))
    const seen = requests.length
    await eventually(() => assert.ok(requests.length >= seen + 4))
    assert.deepEqual(changes, ['broker 1 is draining'])
  })
})
