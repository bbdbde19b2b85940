import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_TOPIC_CONFIG, type TopicConfig } from '../../src/types/topic.ts'
import { SynodError } from '../../src/errors.ts'
import {
  changeProblem,
  configDifferences,
  configError,
  configProblem,
  isTopicName,
  mergeConfig,
  sameConfig,
} from '../../src/controller/topic-config.ts'

const MiB = 1024 * 1024

function problemOf(change: Partial<TopicConfig>, replicationFactor = 3): string | undefined {
  return configProblem(mergeConfig(DEFAULT_TOPIC_CONFIG, change), replicationFactor)?.field
}

test('the defaults are right for every number of replicas', () => {
  for (let count = 1; count <= 7; count++) assert.equal(configProblem(DEFAULT_TOPIC_CONFIG, count), undefined)
})

test('each number passes at its bounds and is refused beyond them', () => {
  const bounds: [keyof TopicConfig, number, number][] = [
    ['recordBytesMax', 1, 8 * MiB],
    ['maxLagMs', 100, 86_400_000],
    ['maxLagSlots', 1, 1_000_000],
    ['dedupWindowMs', 1_000, 604_800_000],
    ['dedupWindowCount', 1, 1_000_000],
    ['retentionMs', 1_000, Number.MAX_SAFE_INTEGER],
    ['retentionBytes', MiB, Number.MAX_SAFE_INTEGER],
  ]
  for (const [field, min, max] of bounds) {
    assert.equal(problemOf({ [field]: min }), undefined)
    assert.equal(problemOf({ [field]: max }), undefined)
    assert.equal(problemOf({ [field]: min - 1 }), field)
    assert.equal(problemOf({ [field]: max + 1 }), field)
    assert.equal(problemOf({ [field]: min + 0.5 }), field)
    assert.equal(problemOf({ [field]: 'many' } as unknown as Partial<TopicConfig>), field)
  }
})

test('null stands for no bound only where it means something', () => {
  assert.equal(problemOf({ retentionMs: null, retentionBytes: null, minInSync: null }), undefined)
  assert.equal(problemOf({ maxLagMs: null } as unknown as Partial<TopicConfig>), 'maxLagMs')
  assert.equal(problemOf({ closed: null } as unknown as Partial<TopicConfig>), 'closed')
})

test('minInSync lies between a majority and all replicas', () => {
  const allowed = (replicationFactor: number) =>
    [1, 2, 3, 4, 5, 6, 7].filter((minInSync) => problemOf({ minInSync }, replicationFactor) === undefined)
  assert.deepEqual(allowed(1), [1])
  assert.deepEqual(allowed(3), [2, 3])
  assert.deepEqual(allowed(4), [3, 4])
  assert.deepEqual(allowed(5), [3, 4, 5])
})

test('the dedup window of a topic that exists stays', () => {
  const after = (change: Partial<TopicConfig>) => mergeConfig(DEFAULT_TOPIC_CONFIG, change)
  assert.equal(
    changeProblem(DEFAULT_TOPIC_CONFIG, after({ dedupWindowMs: 1_000 }), 3)?.field,
    'dedupWindowMs',
  )
  assert.equal(
    changeProblem(DEFAULT_TOPIC_CONFIG, after({ dedupWindowCount: 9 }), 3)?.field,
    'dedupWindowCount',
  )
  assert.equal(
    changeProblem(DEFAULT_TOPIC_CONFIG, after({ dedupWindowMs: 600_000, closed: true }), 3),
    undefined,
  )
  assert.equal(changeProblem(DEFAULT_TOPIC_CONFIG, after({ minInSync: 1 }), 3)?.field, 'minInSync')
})

test('a problem becomes an error that names the value and what is allowed', () => {
  const error = configError(configProblem({ ...DEFAULT_TOPIC_CONFIG, minInSync: 1 }, 3)!)
  assert.ok(error instanceof SynodError)
  assert.equal(error.code, 'invalid-config')
  assert.equal(error.message, 'minInSync is 1, with 3 replicas a partition.')
  assert.match(error.hint!, /2 to 3/)
  assert.deepEqual(error.facts, { field: 'minInSync' })
})

test('a setting that is one of a few words takes no other', () => {
  const problem = configProblem({ ...DEFAULT_TOPIC_CONFIG, onFull: 'drop' as 'trim' }, 3)
  assert.equal(problem?.detail, 'onFull is "drop".')
  assert.equal(problem?.hint, 'It is "trim" or "reject".')
  assert.equal(configProblem({ ...DEFAULT_TOPIC_CONFIG, cleanup: 'none', onFull: 'reject' }, 3), undefined)
})

test('a change replaces what it names, and nothing else gets in', () => {
  const change = { maxLagMs: 200, retentionMs: undefined, extra: 1, __proto__: { closed: true } }
  const merged = mergeConfig(DEFAULT_TOPIC_CONFIG, change)
  assert.equal(merged.maxLagMs, 200)
  assert.equal(merged.retentionMs, null)
  assert.deepEqual(Object.keys(merged).sort(), Object.keys(DEFAULT_TOPIC_CONFIG).sort())
  assert.ok(!sameConfig(merged, DEFAULT_TOPIC_CONFIG))
  assert.ok(sameConfig({ ...merged }, merged))
})

test('differences are those between what is named and what is', () => {
  assert.deepEqual(configDifferences({ closed: false, maxLagMs: 5 }, DEFAULT_TOPIC_CONFIG), [
    { field: 'config.maxLagMs', asked: 5, actual: 10_000 },
  ])
})

test('topic names are 1 to 249 letters, digits, dots, dashes and underscores, beginning with a letter or digit', () => {
  for (const name of ['a', '0', 'orders', 'a.b-c_d', 'x'.repeat(249), 'constructor'])
    assert.ok(isTopicName(name), name)
  for (const name of ['', '.a', '-a', '_a', 'a/b', 'a b', 'ä', '__proto__', 'x'.repeat(250), 'a\n']) {
    assert.ok(!isTopicName(name), name)
  }
})
