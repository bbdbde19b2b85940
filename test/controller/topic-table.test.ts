import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { groupId, topicId } from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'
import { SUGGESTION_CANDIDATES_MAX, TopicTable } from '../../src/controller/topic-table.ts'
import { placedOn } from './command-arbitrary.ts'

function tableOf(names: readonly string[]): TopicTable {
  const table = new TopicTable()
  for (const [index, name] of names.entries()) {
    const partitions = [placedOn(0, index + 1)]
    const about = { config: DEFAULT_TOPIC_CONFIG, createdAtMs: 0, revision: 1 }
    table.put({
      topic: { id: topicId(`t${index}`), name, partitions, ...about },
      createdBy: 'r',
      alteredBy: undefined,
    })
  }
  return table
}

const names = fc.uniqueArray(
  fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 4 }),
  { maxLength: 15 },
)
const part = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 2 })

test('a page holds the names with the prefix that come after the last one, in order', () => {
  fc.assert(
    fc.property(names, part, part, fc.nat(5), (all, prefix, after, limit) => {
      const found = tableOf(all)
        .list({ prefix, after, limit })
        .map((topic) => topic.name)
      const expected = [...all].sort().filter((name) => name.startsWith(prefix) && name > after)
      assert.deepEqual(found, expected.slice(0, limit))
    }),
  )
})

test('pages one after the other give every topic once', () => {
  const all = Array.from({ length: 25 }, (_, index) => `topic-${index}`)
  const table = tableOf(all)
  const found: string[] = []
  for (;;) {
    const page = table.list({ prefix: '', after: found.at(-1) ?? '', limit: 10 })
    if (page.length === 0) break
    found.push(...page.map((topic) => topic.name))
  }
  assert.deepEqual(found, [...all].sort())
})

test('what was deleted is in no view', () => {
  fc.assert(
    fc.property(names, fc.array(fc.nat(14)), (all, deleted) => {
      const table = tableOf(all)
      const gone = new Set(deleted.map((index) => all[index]).filter((name) => name !== undefined))
      for (const name of gone) table.delete(name)
      const left = all.filter((name) => !gone.has(name))
      assert.deepEqual(
        [...table.all()].map((topic) => topic.name),
        [...left].sort(),
      )
      assert.equal(table.partitionCount, left.length)
      for (const [index, name] of all.entries()) {
        assert.equal(table.partition(groupId(index + 1))?.topic.name, gone.has(name) ? undefined : name)
      }
    }),
  )
})

test('a suggestion looks at a bounded number of neighbours', () => {
  const filler = Array.from(
    { length: SUGGESTION_CANDIDATES_MAX },
    (_, index) => `zz${String(index).padStart(6, '0')}`,
  )
  const table = tableOf(['orders', 'worders', ...filler, 'zzz-far-away'])
  assert.equal(table.suggest('ordrs'), 'orders')
  assert.equal(table.suggest('xzzz-far-away'), undefined)
  assert.equal(table.suggest('zzz-far-awya'), 'zzz-far-away')
})
