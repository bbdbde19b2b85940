import assert from 'node:assert/strict'
import { test } from 'node:test'

import { eventually } from '../../support/eventually.ts'
import { openGateway, type OpenGateway } from '../support/open-gateway.ts'

interface Page {
  readonly records: { readonly partition: number; readonly offset: number; readonly text?: string }[]
  readonly upToDate: boolean
  readonly cursor: string
}

const RECORDS = '/v1/topics/t/records'

async function pageOf({ call }: OpenGateway, query = ''): Promise<Page> {
  return (await call('GET', `${RECORDS}${query}`)).json() as Page
}

function places({ records }: Page): string[] {
  return records.map(({ partition, offset }) => `${partition}@${offset}`)
}

test('pages over all partitions show each record once, in order within its partition', async (t) => {
  const gateway = await openGateway(t)
  const topic = gateway.ports.topics.add('t', 12)
  for (let partition = 0; partition < 12; partition++)
    for (let offset = 0; offset <= partition; offset++)
      gateway.ports.log.put(topic, partition, [{ value: `${partition}` }])
  const seen: string[] = []
  let page = await pageOf(gateway, '?limit=7')
  for (; !page.upToDate; page = await pageOf(gateway, `?limit=7&cursor=${page.cursor}`)) {
    assert.ok(page.records.length > 0 && page.records.length <= 7)
    seen.push(...places(page))
  }
  seen.push(...places(page))
  assert.equal(new Set(seen).size, seen.length)
  assert.equal(seen.length, (12 * 13) / 2)
  for (let partition = 0; partition < 12; partition++) {
    const own = seen.filter((place) => place.startsWith(`${partition}@`))
    assert.deepEqual(
      own,
      Array.from({ length: partition + 1 }, (_, offset) => `${partition}@${offset}`),
    )
  }
})

test('a partition that never ends does not keep pages from the others', async (t) => {
  const gateway = await openGateway(t)
  const topic = gateway.ports.topics.add('t', 3)
  for (let index = 0; index < 50; index++) gateway.ports.log.put(topic, 0, [{ value: 'x' }])
  gateway.ports.log.put(topic, 2, [{ value: 'y' }])
  const first = await pageOf(gateway, '?limit=5')
  assert.deepEqual(new Set(first.records.map(({ partition }) => partition)), new Set([0]))
  const second = await pageOf(gateway, `?limit=5&cursor=${first.cursor}`)
  assert.equal(places(second)[0], '2@0')
  assert.equal(places(second)[1], '0@5')
})

test('a wait ends with the first record of any partition, and empty at its end', async (t) => {
  const gateway = await openGateway(t)
  const topic = gateway.ports.topics.add('t', 4)
  assert.deepEqual((await pageOf(gateway, '?wait=20ms')).records, [])
  const { cursor } = await pageOf(gateway, '?from=latest')
  const waiting = pageOf(gateway, `?wait=60s&cursor=${cursor}`)
  await eventually(() => assert.equal(gateway.ports.log.waitingCount, 4))
  gateway.ports.log.put(topic, 3, [{ value: 'news' }])
  assert.deepEqual(places(await waiting), ['3@0'])
  await eventually(() => assert.equal(gateway.ports.log.waitingCount, 0))
})

test('a closing gateway and a reader that goes away end a wait', async (t) => {
  const { url, call, gateway, ports, logged } = await openGateway(t)
  ports.topics.add('t', 2)
  const gone = new AbortController()
  const left = fetch(`${url}${RECORDS}?wait=60s`, { signal: gone.signal })
  await eventually(() => assert.equal(ports.log.waitingCount, 2))
  gone.abort()
  await assert.rejects(left)
  await eventually(() => assert.equal(ports.log.waitingCount, 0))
  const waiting = call('GET', `${RECORDS}?wait=60s`)
  await eventually(() => assert.equal(ports.log.waitingCount, 2))
  await gateway.close({ drainMs: 5_000 })
  assert.deepEqual(((await waiting).json() as Page).records, [])
  assert.deepEqual(logged, [])
})

test('every form of from finds its place in each partition', async (t) => {
  const gateway = await openGateway(t)
  const topic = gateway.ports.topics.add('t', 2)
  for (const partition of [0, 1])
    for (let index = 0; index < 3; index++) gateway.ports.log.put(topic, partition, [{ value: 'x' }])
  assert.deepEqual(places(await pageOf(gateway, '?from=-1')), ['0@2', '1@2'])
  assert.deepEqual(places(await pageOf(gateway, '?from=1@2')), ['0@0', '0@1', '0@2', '1@2'])
  assert.deepEqual(places(await pageOf(gateway, '?from=latest')), [])
  await gateway.refused('invalid-offset', 'GET', `${RECORDS}?from=1`)
  await gateway.refused('invalid-parameter', 'GET', `${RECORDS}?from=latest&cursor=abc`)
  await gateway.refused('invalid-cursor', 'GET', `${RECORDS}?cursor=abc`)
})

test('a place that was trimmed, or is not there, is an error and never another place', async (t) => {
  const gateway = await openGateway(t)
  const topic = gateway.ports.topics.add('t', 2)
  const { cursor } = await pageOf(gateway)
  for (let index = 0; index < 3; index++) gateway.ports.log.put(topic, 1, [{ value: 'x' }])
  gateway.ports.log.trim(topic, 1, 2)
  assert.equal((await gateway.refused('offset-trimmed', 'GET', `${RECORDS}?cursor=${cursor}`))['logStart'], 2)
  await gateway.refused('offset-out-of-range', 'GET', `${RECORDS}?from=0@9`)
})
