import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicId } from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG, type Topic } from '../../src/types/topic.ts'
import { Judge, Violation } from '../sim/judge.ts'
import { TopicTruth } from './topic-truth.ts'

const HERE = { broker: 1, life: 1 }
const ELSEWHERE = { broker: 2, life: 1 }

function topic(id: string, name = 'orders'): Topic {
  return { id: topicId(id), name, config: DEFAULT_TOPIC_CONFIG, partitions: [], createdAtMs: 0, revision: 1 }
}

function at(startMs: number, endMs = startMs + 1) {
  return { startMs, endMs }
}

function truth(): TopicTruth {
  return new TopicTruth(new Judge())
}

function isBroken(rule: string, run: () => void): void {
  assert.throws(run, (error: unknown) => error instanceof Violation && error.rule === rule)
}

test('a created topic that is not found afterwards is a violation', () => {
  const known = truth()
  known.created(topic('t1'), true, at(0))
  isBroken('metadata', () => known.found('orders', undefined, at(5), ELSEWHERE))
})

test('a created topic may be missing while its creation or a deletion is under way, and after one nobody knows of', () => {
  const known = truth()
  known.found('orders', undefined, at(0), HERE)
  known.created(topic('t1'), true, at(0, 10))
  known.found('orders', undefined, at(5), HERE)
  const settle = known.beginsToDelete('orders', 20)
  known.found('orders', undefined, at(21), HERE)
  settle(undefined)
  isBroken('metadata', () => known.found('orders', undefined, at(30), HERE))
})

test('a deleted topic that is found where its deletion was answered is a violation, elsewhere only in the end', () => {
  const known = truth()
  known.created(topic('t1'), true, at(0))
  known.beginsToDelete('orders', 5)({ endMs: 6, by: HERE })
  known.found('orders', topic('t1'), at(10), ELSEWHERE)
  known.found('orders', topic('t1'), at(10), { ...HERE, life: 2 })
  isBroken('metadata', () => known.found('orders', topic('t1'), at(10), HERE))
  isBroken('metadata', () => known.found('orders', topic('t1'), at(10), undefined))
})

test('a topic that two requests say they have made is a violation', () => {
  const known = truth()
  known.created(topic('t1'), true, at(0))
  known.created(topic('t1'), false, at(5))
  isBroken('metadata', () => known.created(topic('t1'), true, at(10)))
})

test('a topic that nobody can have made is a violation', () => {
  const known = truth()
  known.perhapsCreated('orders')
  known.found('orders', topic('t1'), at(0), HERE)
  known.finish()
  known.found('orders', topic('t2'), at(5), HERE)
  isBroken('refusal', () => known.finish())
})

test('only a topic that nobody can have deleted is kept', () => {
  const known = truth()
  known.created(topic('t1'), true, at(0))
  assert.ok(known.isKept(topicId('t1')))
  known.beginsToDelete('orders', 5)
  assert.ok(!known.isKept(topicId('t1')))
})

test('more revisions than somebody asked for are a violation', () => {
  const known = truth()
  known.created(topic('t1'), true, at(0))
  known.perhapsAltered('orders')
  known.found('orders', { ...topic('t1'), revision: 2 }, at(5), HERE)
  known.finish()
  known.found('orders', { ...topic('t1'), revision: 3 }, at(10), HERE)
  isBroken('refusal', () => known.finish())
})
