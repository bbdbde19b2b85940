import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { exportTopic } from '../../../src/cli/commands/topic-export.ts'
import type { ExportOptions } from '../../../src/cli/commands/topic-export.ts'
import { CommandError, EXIT } from '../../../src/cli/exit-codes.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { sendJson, startFakeCluster } from '../fake-cluster.ts'
import type { FakeCluster } from '../fake-cluster.ts'
import { collectOutput } from '../run-command.ts'

function line(partition: number, offset: number): string {
  return `{"topic":"orders","partition":${partition},"offset":${offset},"text":"v${offset}"}\n`
}

interface Fake {
  /** The next offset of each partition. */
  readonly ends: readonly number[]
  /** Each stream is broken after so many records. */
  readonly breakAfter?: number
  readonly topicId?: string
  readonly problemAt?: number
}

/** A topic that ends where it is said, and whose streams may break. */
function startTopic(t: TestContext, fake: Fake): Promise<FakeCluster> {
  return startFakeCluster(t, ({ url }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://x')
    const partition = Number(/partitions\/(\d+)/.exec(pathname)?.[1] ?? searchParams.get('partition'))
    const end = fake.ends[partition] ?? 0
    if (pathname.endsWith('/offsets')) {
      const at = searchParams.get('at')
      const offset = at === 'earliest' ? 0 : at === 'latest' ? end : Number(at)
      return sendJson(response, 200, { offset })
    }
    if (!pathname.endsWith('/stream')) {
      const partitions = fake.ends.map((_, index) => ({ partition: index }))
      return sendJson(response, 200, { name: 'orders', id: fake.topicId ?? 't1', partitions })
    }
    const from = Number(searchParams.get('from'))
    if (from === fake.problemAt)
      return sendJson(response, 410, { code: 'offset-trimmed', detail: 'Gone.', retryable: false })
    const to = Math.min(end, from + (fake.breakAfter ?? end), fake.problemAt ?? end)
    for (let offset = from; offset < to; offset++) response.write(line(partition, offset))
    if (to < end && fake.problemAt === undefined) setImmediate(() => response.destroy())
    else response.end()
  })
}

async function run(cluster: FakeCluster, options: Partial<ExportOptions> = {}): Promise<readonly string[]> {
  const { output, lines, notes } = collectOutput()
  const all = { url: cluster.url, from: 'earliest', until: 'latest', retrySeconds: 5, ...options }
  await exportTopic('orders', all, output)
  return [...lines, ...notes]
}

const WHOLE = [line(0, 0), line(0, 1), line(0, 2), line(1, 0)].join('')

describe('synod topic export', () => {
  test('writes each partition between the two ends, which are fixed first', async (t) => {
    const cluster = await startTopic(t, { ends: [3, 1] })
    assert.equal((await run(cluster)).map((text) => `${text}\n`).join(''), WHOLE)
    assert.deepEqual(await run(cluster, { from: '0@1', until: '0@2' }), [
      line(0, 1).trim(),
      line(1, 0).trim(),
    ])
    assert.deepEqual(await run(cluster, { partition: 1, from: '1' }), [])
    assert.ok(cluster.requests.some(({ url }) => url.includes('linearizable=true')))
    await assert.rejects(run(cluster, { from: '0@x' }), CommandError)
  })

  test('goes on where a stream broke', async (t) => {
    const cluster = await startTopic(t, { ends: [3, 1], breakAfter: 1 })
    assert.equal((await run(cluster)).map((text) => `${text}\n`).join(''), WHOLE)
  })

  test('touches no file that is there, and says how to go on', async (t) => {
    const cluster = await startTopic(t, { ends: [1] })
    const file = join(tempDir(t), 'orders.ndjson')
    assert.deepEqual(await run(cluster, { output: file }), [`Wrote 1 record of orders into ${file}.`])
    assert.equal(existsSync(`${file}.progress`), false)
    await assert.rejects(
      run(cluster, { output: file }),
      (error) =>
        error instanceof CommandError && error.exitCode === EXIT.usage && /resume/.test(error.hint ?? ''),
    )
    assert.deepEqual(await run(cluster, { output: file, resume: true }), [`Nothing to do: ${file} is whole.`])
  })

  test('resumes what broke off, to the end that was fixed then, and drops a line that was half written', async (t) => {
    const file = join(tempDir(t), 'orders.ndjson')
    const broken = await startTopic(t, { ends: [3, 1], problemAt: 2 })
    await assert.rejects(run(broken, { output: file }), /Gone/)
    assert.equal(readFileSync(file, 'utf8'), line(0, 0) + line(0, 1))
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"topic":"ord`)
    const longer = await startTopic(t, { ends: [9, 9] })
    assert.deepEqual(await run(longer, { output: file, resume: true }), [
      `Wrote 2 records of orders into ${file}.`,
    ])
    assert.equal(readFileSync(file, 'utf8'), WHOLE)
  })

  test('resumes what broke off before there was a file', async (t) => {
    const file = join(tempDir(t), 'orders.ndjson')
    const ranges = [{ partition: 0, nextOffset: 0, untilOffset: 1 }]
    writeFileSync(`${file}.progress`, JSON.stringify({ topic: 'orders', topicId: 't1', ranges, bytes: 0 }))
    await run(await startTopic(t, { ends: [3] }), { output: file, resume: true })
    assert.equal(readFileSync(file, 'utf8'), line(0, 0))
  })

  test('resumes nothing of a topic that was made anew, or whose file is shorter than it was', async (t) => {
    const file = join(tempDir(t), 'orders.ndjson')
    await assert.rejects(run(await startTopic(t, { ends: [3], problemAt: 2 }), { output: file }), /Gone/)
    const anew = await startTopic(t, { ends: [3], topicId: 't2' })
    await assert.rejects(run(anew, { output: file, resume: true }), /another topic/)
    writeFileSync(file, '')
    await assert.rejects(run(await startTopic(t, { ends: [3] }), { output: file, resume: true }), /shorter/)
    writeFileSync(`${file}.progress`, 'x')
    await assert.rejects(run(await startTopic(t, { ends: [3] }), { output: file, resume: true }), /how far/)
  })
})
