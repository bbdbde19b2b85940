import assert from 'node:assert/strict'
import { request, type IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { busiestLeader, call, json } from './api.ts'
import { readAll } from './read-all.ts'

const PARTITIONS = 3
const LINES = 400
const REPETITIONS = 20
/** Repetitions in which the busiest leader is killed, too; it is back some seconds later. */
const KILLS: ReadonlySet<number> = new Set([4, 14])

interface Line {
  readonly partition?: number
  readonly offset?: number
  readonly end?: boolean
  readonly problem?: { readonly code: string; readonly retryable: boolean }
}

interface Sent {
  readonly receipts: readonly Line[]
  /** Undefined: the connection broke. */
  readonly last: Line | undefined
}

/** Sends the body under the key. With `cutAfter` receipts the connection is destroyed, and `onCut` is called before. */
function ingest(
  url: string,
  options: {
    readonly key: string
    readonly body: string
    readonly cutAfter?: number
    readonly onCut?: () => void
  },
): Promise<Sent> {
  const { key, body, cutAfter, onCut } = options
  return new Promise((resolve) => {
    const receipts: Line[] = []
    let last: Line | undefined
    const sent = request(`${url}/v1/topics/orders/ingest`, {
      method: 'POST',
      agent: false,
      headers: { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': key },
      timeout: 15_000,
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => undefined)
    sent.on('close', () => resolve({ receipts, last }))
    sent.on('response', (response: IncomingMessage) => {
      let rest = ''
      response.on('error', () => undefined)
      response.on('data', (chunk: Buffer) => {
        const lines = `${rest}${chunk.toString()}`.split('\n')
        rest = lines.pop() ?? ''
        for (const text of lines) {
          const line = JSON.parse(text) as Line
          if (line.end === true || line.problem !== undefined) last = line
          else receipts.push(line)
        }
        if (cutAfter === undefined || receipts.length < cutAfter || sent.destroyed) return
        onCut?.()
        sent.destroy()
      })
    })
    // In pieces, so that the connection is cut while lines are on their way.
    const half = body.indexOf('\n', body.length / 2) + 1
    sent.write(body.slice(0, half))
    if (cutAfter === undefined || cutAfter > LINES / 2) sent.end(body.slice(half))
  })
}

test('An ingest that is cut off or loses its leader is sent again with its key until it ends: each line is stored once, where every receipt of it says', async (t) => {
  const cluster = await startDev(t)
  const urls = () => cluster.brokers().map(({ url }) => url)
  const nth = (turn: number): string => urls()[turn % urls().length]!
  const created = await call(urls()[0]!, '/v1/topics/orders', json('PUT', { partitions: PARTITIONS }))
  assert.equal(created.status, 201)
  const placeOf = new Map<string, string>()
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const key = `import-${repetition}`
    const values = Array.from({ length: LINES }, (_, index) => `${repetition}-${index}`)
    const body = values.map((text, index) => `${JSON.stringify({ key: `k${index % 7}`, text })}\n`).join('')
    const note = ({ receipts }: Sent): void => {
      for (const [index, { partition, offset }] of receipts.entries()) {
        const place = `${partition}@${offset}`
        assert.equal(placeOf.get(values[index]!) ?? place, place, `${values[index]} has one place`)
        placeOf.set(values[index]!, place)
      }
    }
    const cutAfter = 1 + ((repetition * 37) % LINES)
    const victim = KILLS.has(repetition) ? await busiestLeader(urls()[0]!, 'orders') : undefined
    const onCut = (): void => void (victim !== undefined && cluster.kill(victim))
    note(await ingest(nth(repetition), { key, body, cutAfter, onCut }))
    await eventually(
      async () => {
        const sent = await ingest(nth(repetition + 1), { key, body })
        note(sent)
        const { problem } = sent.last ?? {}
        if (problem !== undefined && !problem.retryable) t.diagnostic(JSON.stringify(problem))
        assert.equal(sent.last?.end, true)
        assert.equal(sent.receipts.length, LINES)
      },
      { timeoutMs: 30_000 },
    )
    // Once more, at the third: all of it is known by now.
    note(await ingest(nth(repetition + 2), { key, body }))
  }
  assert.equal(placeOf.size, LINES * REPETITIONS)
  await eventually(
    async () => {
      const stored = await readAll(urls()[0]!, 'orders', PARTITIONS)
      assert.equal(stored.length, LINES * REPETITIONS)
      for (const { value, partition, offset } of stored)
        assert.equal(placeOf.get(value), `${partition}@${offset}`, value)
    },
    { timeoutMs: 30_000 },
  )
})
