import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SynodError } from '../../../src/errors.ts'
import { encodeCursor } from '../../../src/gateway/reading/cursor.ts'
import { parseFrom } from '../../../src/gateway/reading/start-position.ts'
import { topicId } from '../../../src/types/ids.ts'

const topic = { id: topicId('t7'), name: 'orders' }
const one = { topic, partitions: [0], fallback: 'latest' } as const
const three = { topic, partitions: [0, 1, 2], fallback: 'earliest' } as const

function plan(from: string | undefined, context: Parameters<typeof parseFrom>[1]) {
  return Object.fromEntries(parseFrom(from, context))
}

test('no from means what the caller falls back to', () => {
  assert.deepEqual(plan(undefined, one), { 0: { kind: 'latest' } })
  assert.deepEqual(plan(undefined, three), {
    0: { kind: 'earliest' },
    1: { kind: 'earliest' },
    2: { kind: 'earliest' },
  })
})

test('earliest, latest and -N mean the same in every partition', () => {
  assert.deepEqual(plan('earliest', one), { 0: { kind: 'earliest' } })
  assert.deepEqual(plan('latest', three)[2], { kind: 'latest' })
  assert.deepEqual(plan('-10', three)[1], { kind: 'last', count: 10 })
})

test('a plain offset names the one partition that is read', () => {
  assert.deepEqual(plan('17', { topic, partitions: [4], fallback: 'latest' }), {
    4: { kind: 'offset', offset: 17 },
  })
  assert.deepEqual(plan('0', one), { 0: { kind: 'offset', offset: 0 } })
  assert.deepEqual(plan('9007199254740991', one)[0], { kind: 'offset', offset: Number.MAX_SAFE_INTEGER })
})

test('partition@offset leaves the other partitions at their earliest record', () => {
  assert.deepEqual(plan('2@17,0@12', three), {
    0: { kind: 'offset', offset: 12 },
    1: { kind: 'earliest' },
    2: { kind: 'offset', offset: 17 },
  })
})

test('reads RFC 3339 times with zones and fractions, rounded up to the millisecond', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['time:2026-01-31T12:00:00Z', Date.UTC(2026, 0, 31, 12)],
    ['time:2026-01-31T12:00:00.5z', Date.UTC(2026, 0, 31, 12, 0, 0, 500)],
    ['time:2026-01-31t14:30:00+02:30', Date.UTC(2026, 0, 31, 12)],
    ['time:2026-01-31T14:30:00 02:30', Date.UTC(2026, 0, 31, 12)],
    ['time:2026-01-31T09:30:00.069-02:30', Date.UTC(2026, 0, 31, 12, 0, 0, 69)],
    ['time:2026-01-31T12:00:00.001000001Z', Date.UTC(2026, 0, 31, 12, 0, 0, 2)],
    ['time:2024-02-29T00:00:00Z', Date.UTC(2024, 1, 29)],
  ]
  for (const [text, timeMs] of cases) assert.deepEqual(plan(text, one)[0], { kind: 'time', timeMs }, text)
})

test('reads every time that a Date can write', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
      (date) => {
        assert.deepEqual(plan(`time:${date.toISOString()}`, one)[0], { kind: 'time', timeMs: date.getTime() })
      },
    ),
  )
})

test('refuses everything else and lists the forms', () => {
  const bad = [
    '',
    'Earliest',
    '-0',
    '-',
    '-1.5',
    '01',
    '1.5',
    '1e3',
    '9007199254740993',
    '99999999999999999999',
    'NaN',
    '0@',
    '@1',
    '0@1@2',
    '0@1,',
    ',',
    '0@-1',
    '3@1',
    '0@1,0@2',
    'time:',
    'time:yesterday',
    'time:2026-01-31',
    'time:2026-02-30T00:00:00Z',
    'time:2026-13-01T00:00:00Z',
    'time:2026-00-10T00:00:00Z',
    'time:2026-01-01T24:00:00Z',
    'time:2026-01-01T00:60:00Z',
    'time:2026-01-01T00:00:60Z',
    'time:2026-01-01T00:00:00',
    'time:2026-01-01T00:00:00+24:00',
    '__proto__',
    'constructor@1',
    '5 ',
    ' 5',
  ]
  for (const text of bad) {
    for (const context of [one, three]) {
      assert.throws(
        () => parseFrom(text, context),
        (error) =>
          error instanceof SynodError &&
          error.code === 'invalid-offset' &&
          ['earliest', 'latest', '0@17,1@12', '-10', 'time:'].every(
            (form) => error.hint?.includes(form) === true,
          ),
        `'${text}' is refused`,
      )
    }
  }
})

test('refuses a plain offset when several partitions are read', () => {
  assert.throws(() => parseFrom('17', three), { code: 'invalid-offset', message: /3 partitions/ })
})

test('never throws anything but an invalid-offset', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseFrom(text, three)
      } catch (error) {
        assert.ok(error instanceof SynodError && error.code === 'invalid-offset')
      }
    }),
  )
})

test('a cursor of the topic says where each partition goes on, and begins those that were added since', () => {
  const places = new Map([
    [0, 5],
    [1, 9],
  ])
  const from = `cursor:${encodeCursor({ topicId: topic.id, isWholeTopic: true, places, turn: 1 })}`
  assert.deepEqual(plan(from, three), {
    0: { kind: 'offset', offset: 5 },
    1: { kind: 'offset', offset: 9 },
    2: { kind: 'offset', offset: 0 },
  })
  assert.deepEqual(plan(from, { ...three, partitions: [1] }), { 1: { kind: 'offset', offset: 9 } })
})

test('a cursor without a place for a partition, or of another topic, is refused', () => {
  const places = new Map([[1, 9]])
  const from = (id: string) =>
    `cursor:${encodeCursor({ topicId: topicId(id), isWholeTopic: false, places, turn: 0 })}`
  assert.throws(
    () => parseFrom(from('t7'), three),
    (error) => error instanceof SynodError && error.code === 'invalid-cursor',
  )
  assert.throws(
    () => parseFrom(from('t8'), { ...three, partitions: [1] }),
    (error) => error instanceof SynodError && error.code === 'topic-deleted',
  )
})
