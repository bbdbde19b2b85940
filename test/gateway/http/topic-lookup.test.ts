import assert from 'node:assert/strict'
import { test } from 'node:test'

import { ByteBudget } from '../../../src/gateway/http/byte-budget.ts'
import type { RequestContext } from '../../../src/gateway/http/context.ts'
import { findPartition, TopicCreator } from '../../../src/gateway/http/topic-lookup.ts'
import { DEFAULT_GATEWAY_OPTIONS } from '../../../src/gateway/options.ts'
import type { Topic } from '../../../src/types/topic.ts'
import { fakePorts } from '../fakes.ts'

function contextOf(ports = fakePorts()): RequestContext {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const options = {
    ...DEFAULT_GATEWAY_OPTIONS,
    autoCreateTopics: true,
    version: '0',
    metrics: () => Promise.resolve(''),
    log,
  }
  return {
    ports,
    options,
    closing: new AbortController().signal,
    answers: new ByteBudget(1024),
    ingests: new ByteBudget(1024),
    requestId: 'r',
    path: '/',
    search: '',
    params: [],
    host: 'here',
  }
}

test('creations under way are bounded, and one that failed is forgotten', async () => {
  const ports = fakePorts()
  const context = contextOf(ports)
  const creator = new TopicCreator(context)
  const failing: ((error: Error) => void)[] = []
  ports.topics.create = () =>
    new Promise<{ topic: Topic; created: boolean }>((_resolve, reject) => failing.push(reject))
  const under = Array.from({ length: 1_000 }, (_, index) => creator.findOrCreate(context, `t${index}`))
  const settled = Promise.allSettled(under)
  await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(creator.findOrCreate(context, 'one-more'), { code: 'overloaded' })
  for (const fail of failing) fail(new Error('no controller'))
  assert.ok((await settled).every(({ status }) => status === 'rejected'))
  const again = creator.findOrCreate(context, 'one-more')
  await new Promise((resolve) => setImmediate(resolve))
  failing.at(-1)?.(new Error('still none'))
  await assert.rejects(again, { message: 'still none' })
})

test('a partition is named by its number within the topic', () => {
  const topic = fakePorts().topics.add('t', 3)
  assert.equal(findPartition(topic, '2'), 2)
  assert.throws(() => findPartition(topic, '3'), { code: 'partition-not-found' })
  for (const text of ['', '-1', '1.5', 'a', '1e1', '123456'])
    assert.throws(() => findPartition(topic, text), { code: 'invalid-parameter' }, text)
})
