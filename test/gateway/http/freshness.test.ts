import assert from 'node:assert/strict'
import { test } from 'node:test'

import { SynodError } from '../../../src/errors.ts'
import { openGateway } from '../support/open-gateway.ts'

const READS = [
  '/v1/topics/t/partitions/0/records',
  '/v1/topics/t/partitions/0/records/0',
  '/v1/topics/t/records',
  '/v1/topics/t/stream?follow=false&from=0@0',
]

function withQuery(path: string, query: string): string {
  return `${path}${path.includes('?') ? '&' : '?'}${query}`
}

test('every way of reading says how new the answer has to be, partition by partition', async (t) => {
  const { call, ports } = await openGateway(t)
  const topic = ports.topics.add('t', 2)
  ports.log.put(topic, 0, [{ value: 'a' }])
  for (const path of READS) {
    ports.log.reads.length = 0
    const headers = { 'Read-After': '0@17, 1@3,0@4' }
    await call('GET', withQuery(path, 'consistency=leader'), { headers })
    const first = ports.log.reads.find(({ partition }) => partition === 0)
    assert.deepEqual(first?.freshness, { consistency: 'leader', afterOffset: 17 }, path)
    ports.log.reads.length = 0
    await call('GET', withQuery(path, 'consistency=linearizable'))
    assert.deepEqual(ports.log.reads[0]?.freshness, { consistency: 'linearizable' }, path)
    ports.log.reads.length = 0
    await call('GET', path)
    assert.equal(ports.log.reads[0]?.freshness, undefined, path)
  }
})

test('what is no level and no place is refused', async (t) => {
  const { refused, ports } = await openGateway(t)
  ports.topics.add('t')
  for (const path of READS) {
    await refused('invalid-parameter', 'GET', withQuery(path, 'consistency=strong'))
    for (const place of ['17', '0@', '0@x', '0@1,', '0@99999999999999999'])
      await refused('invalid-parameter', 'GET', path, { headers: { 'Read-After': place } })
  }
})

test('a replica that is behind is 504, and a majority that is missing 503', async (t) => {
  const { refused, ports } = await openGateway(t)
  ports.topics.add('t')
  for (const code of ['replica-behind', 'no-quorum'] as const) {
    ports.log.beforeRead = () => {
      throw new SynodError(code, 'Not now.')
    }
    const problem = await refused(code, 'GET', READS[0]!)
    assert.equal(problem.status, code === 'no-quorum' ? 503 : 504)
  }
})
