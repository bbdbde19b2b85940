import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { tail } from '../../../src/cli/commands/tail.ts'
import type { TailOptions } from '../../../src/cli/commands/tail.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { eventually } from '../../support/eventually.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import type { Answer, FakeCluster } from '../fake-cluster.ts'
import { collectOutput } from '../run-command.ts'
import type { Collected } from '../run-command.ts'

function line(partition: number, offset: number, text: string): string {
  return `${JSON.stringify({ topic: 'orders', partition, offset, text })}\n`
}

function topicWith(highWatermarks: readonly (number | null)[]): unknown {
  return {
    partitions: highWatermarks.map((highWatermark, partition) => ({ partition, highWatermark, logStart: 1 })),
  }
}

/** Follows until the test ends. */
function follow(
  t: TestContext,
  cluster: FakeCluster,
  options: Partial<TailOptions> = {},
): Collected & { ended: Promise<void> } {
  const collected = collectOutput()
  const abort = new AbortController()
  const ended = tail('orders', { url: cluster.url, follow: true, ...options }, collected.output, abort.signal)
  ended.catch(() => undefined)
  t.after(async () => {
    abort.abort()
    await ended.catch(() => undefined)
  })
  return { ...collected, ended }
}

function streamsOf(cluster: FakeCluster): string[] {
  return cluster.requests
    .filter(({ url }) => url.includes('/stream'))
    .map(({ url }) => decodeURIComponent(url.split('?')[1] ?? ''))
}

describe('synod tail', () => {
  test('prints what is there and ends, with --no-follow', async (t) => {
    const cluster = await startFakeCluster(
      t,
      (_, response) => void response.end(line(0, 0, 'a') + line(1, 5, 'b')),
    )
    const { output, lines } = collectOutput()
    await tail('orders', { url: cluster.url, follow: false, partition: 1 }, output, undefined)
    assert.deepEqual(lines, ['0@0 a', '1@5 b'])
    assert.deepEqual(streamsOf(cluster), ['from=earliest&follow=false&partition=1'])
  })

  test('goes on where a broken stream ended, in each partition', async (t) => {
    const answers: ((response: ServerResponse) => void)[] = [
      (response) => response.write(line(0, 10, 'a') + line(1, 5, 'b') + line(0, 11, 'c')),
      (response) => response.write(line(0, 12, 'd')),
    ]
    const cluster = await startFakeCluster(t, (_, response) => answers.shift()?.(response))
    const { lines, notes } = follow(t, cluster, { from: 'earliest' })
    await eventually(() => assert.equal(lines.length, 3))
    cluster.breakConnections()
    await eventually(() => assert.equal(lines.length, 4))
    assert.deepEqual(streamsOf(cluster), ['from=earliest&follow=true', 'from=0@12,1@6&follow=true'])
    assert.match(notes[0] ?? '', /^No broker answers at .* Trying again\.$/)
  })

  test('fixes latest and the last N to offsets, so that a break loses and repeats nothing', async (t) => {
    const answer: Answer = ({ url }, response) => {
      if (url.includes('/stream')) response.write(line(0, 40, 'a'))
      else sendJson(response, 200, topicWith([40, 3]))
    }
    const latest = await startFakeCluster(t, answer)
    const first = follow(t, latest)
    await eventually(() => assert.equal(first.lines.length, 1))
    assert.deepEqual(streamsOf(latest), ['from=0@40,1@3&follow=true'])
    const last = await startFakeCluster(t, answer)
    const second = follow(t, last, { from: '-5' })
    await eventually(() => assert.equal(second.lines.length, 1))
    assert.deepEqual(streamsOf(last), ['from=0@35,1@1&follow=true'])
  })

  test('leaves the wish as it is when a partition has no leader to ask', async (t) => {
    const cluster = await startFakeCluster(t, ({ url }, response) => {
      if (url.includes('/stream')) response.write(line(0, 40, 'a'))
      else sendJson(response, 200, topicWith([40, null]))
    })
    const { lines } = follow(t, cluster)
    await eventually(() => assert.equal(lines.length, 1))
    assert.deepEqual(streamsOf(cluster), ['from=latest&follow=true'])
  })

  test('ends with the problem that a stream ends with, unless it passes', async (t) => {
    const problems = [
      { code: 'no-leader', detail: 'There is no leader.', retryable: true },
      { code: 'topic-deleted', detail: 'The topic is gone.', retryable: false },
    ]
    const cluster = await startFakeCluster(t, (_, response) => {
      response.end(`${JSON.stringify({ problem: problems.shift() })}\n`)
    })
    const { ended, notes } = follow(t, cluster, { from: 'earliest', json: true })
    await assert.rejects(
      ended,
      (error) => error instanceof CommandError && error.message === 'The topic is gone.',
    )
    assert.deepEqual(notes, ['There is no leader. Trying again.'])
  })

  test('fails at once when nobody answers at the start', async () => {
    const { output } = collectOutput()
    await assert.rejects(
      tail('orders', { url: 'http://127.0.0.1:2', follow: true, from: 'earliest' }, output, undefined),
      (error) => error instanceof CommandError && error.exitCode === EXIT.unavailable,
    )
  })
})
