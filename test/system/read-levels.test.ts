import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json, produce } from './api.ts'

interface Page {
  readonly records: readonly { readonly text: string; readonly partition: number }[]
  readonly cursor: string
  readonly nextOffset: number
}

test('What was just written is read on every broker by who asks for it, and a cursor goes on at any of them', async (t) => {
  const cluster = await startDev(t, { brokers: 3 })
  const urls = cluster.brokers().map((broker) => broker.url)
  await eventually(async () =>
    assert.equal(
      (await call(urls[0]!, '/v1/topics/orders', json('PUT', { partitions: 1 }))).status < 300,
      true,
    ),
  )
  for (let round = 0; round < 10; round++) {
    const receipt = await produce(urls[round % 3]!, 'orders', `${round}`)
    assert.equal(receipt.status, 201)
    const from = `/v1/topics/orders/partitions/0/records?from=${round}`
    for (const url of urls) {
      const after = { headers: { 'Read-After': `0@${String(receipt.body['offset'])}` } }
      for (const [path, init] of [
        ['/v1/topics/orders/partitions/0/records?from=-1', after],
        [`${from}&consistency=leader`, {}],
        [`${from}&consistency=linearizable`, {}],
      ] as const) {
        const page = (await call(url, path, init)).body as unknown as Page
        assert.deepEqual(
          page.records.map(({ text }) => text),
          [`${round}`],
          path,
        )
      }
    }
  }
  const seen: string[] = []
  let cursor: string | undefined
  for (let step = 0; seen.length < 10; step++) {
    const place = cursor === undefined ? '' : `&cursor=${cursor}`
    const answer = await call(urls[step % 3]!, `/v1/topics/orders/records?limit=3&wait=5s${place}`)
    const page = answer.body as unknown as Page
    seen.push(...page.records.map(({ text }) => text))
    cursor = page.cursor
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 10 }, (_, round) => `${round}`),
  )
  const unknown = await call(urls[1]!, '/v1/topics/orders/records', { headers: { 'Read-After': '0@99' } })
  assert.deepEqual([unknown.status, unknown.body['highWatermark']], [416, 10])
})
