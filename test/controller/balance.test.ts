import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { brokerId, groupId, type BrokerId } from '../../src/types/ids.ts'
import {
  decideMoves,
  MOVES_MAX,
  SETTLED_AFTER_MS,
  type LeadershipReport,
} from '../../src/controller/balance.ts'

interface Said {
  readonly led: number
  readonly share: number
  readonly upMs?: number
  readonly isUnfit?: boolean
  /** To whom it would give, one a group. */
  readonly strays?: readonly number[]
}

function decide(said: Readonly<Record<number, Said>>) {
  const reports = new Map<BrokerId, LeadershipReport>()
  const shares = new Map<BrokerId, number>()
  for (const [id, { led, share, upMs = SETTLED_AFTER_MS, isUnfit = false, strays = [] }] of Object.entries(
    said,
  )) {
    const broker = brokerId(Number(id))
    shares.set(broker, share)
    const named = strays.map((to, index) => ({ group: groupId(1_000 * broker + index), to: brokerId(to) }))
    reports.set(broker, { upMs, isUnfit, ledCount: led, strays: named })
  }
  return decideMoves(reports, shares).map(({ from, to }) => [from, to])
}

test('a broker that leads more than 110 % of its share gives back what is beyond it', () => {
  assert.deepEqual(decide({ 1: { led: 5, share: 4, strays: [2, 2] }, 2: { led: 3, share: 4 } }), [[1, 2]])
  assert.deepEqual(decide({ 1: { led: 1, share: 0, strays: [2] }, 2: { led: 0, share: 1 } }), [[1, 2]])
})

test('within 110 % everything stays', () => {
  assert.deepEqual(decide({ 1: { led: 11, share: 10, strays: [2] }, 2: { led: 9, share: 10 } }), [])
  assert.deepEqual(decide({ 1: { led: 12, share: 10, strays: [2, 2] }, 2: { led: 8, share: 10 } }).length, 2)
})

test('nothing goes to a broker that started a moment ago, is about to stop, or does not answer', () => {
  const from = { led: 8, share: 4, strays: [2, 3, 4] }
  assert.deepEqual(
    decide({
      1: from,
      2: { led: 0, share: 4, upMs: SETTLED_AFTER_MS - 1 },
      3: { led: 0, share: 4, isUnfit: true },
    }),
    [],
  )
})

test('brokers take turns, and a round has at most ten moves', () => {
  const strays = Array.from({ length: 20 }, () => 3)
  const moves = decide({
    1: { led: 20, share: 2, strays },
    2: { led: 30, share: 2, strays },
    3: { led: 0, share: 46 },
  })
  assert.equal(moves.length, MOVES_MAX)
  assert.deepEqual(moves.slice(0, 4), [
    [2, 3],
    [1, 3],
    [2, 3],
    [1, 3],
  ])
})

test('no round makes a broker lead less than its share, whatever the reports', () => {
  const said = fc.record({
    led: fc.nat(15),
    share: fc.nat(15),
    upMs: fc.constantFrom(0, SETTLED_AFTER_MS),
    isUnfit: fc.boolean(),
    strays: fc.array(fc.constantFrom(1, 2, 3), { maxLength: 20 }),
  })
  fc.assert(
    fc.property(said, said, said, (one, two, three) => {
      const all: Record<number, Said> = { 1: one, 2: two, 3: three }
      const moves = decide(all)
      assert.ok(moves.length <= MOVES_MAX)
      for (const [id, { led, share }] of Object.entries(all)) {
        const given = moves.filter(([from]) => from === Number(id)).length
        assert.ok(given === 0 || led - given >= share)
      }
    }),
  )
})
