import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Random } from '../sim/random.ts'
import { FAULT_KINDS, schedule, type Episode, type FaultKind } from './schedule.ts'

function episodes(
  seed: number,
  count: number,
  more: { readonly ids?: readonly number[]; readonly kinds?: readonly FaultKind[] } = {},
): readonly Episode[] {
  const all = schedule({
    random: new Random(seed),
    ids: more.ids ?? [1, 2, 3],
    kinds: more.kinds,
    durationMs: { min: 2_000, max: 10_000 },
    quietMs: { min: 1_000, max: 2_000 },
  })
  return Array.from({ length: count }, () => all.next().value)
}

test('the same seed makes the same faults, another one others', () => {
  assert.deepEqual(episodes(7, 100), episodes(7, 100))
  assert.notDeepEqual(episodes(7, 100), episodes(8, 100))
})

test('each kind comes before any comes again', () => {
  for (let seed = 0; seed < 20; seed++) {
    const first = episodes(seed, FAULT_KINDS.length).map(({ faults }) => faults[0]!.kind)
    assert.deepEqual(first.toSorted(), FAULT_KINDS.toSorted())
  }
})

test('faults hit brokers that are there, last as long as allowed, and come one or two at once', () => {
  const ids = [1, 2, 3, 4, 5]
  const all = episodes(1, 500, { ids })
  for (const { faults, durationMs, quietMs } of all) {
    assert.ok(durationMs >= 2_000 && durationMs < 10_000)
    assert.ok(quietMs >= 1_000 && quietMs < 2_000)
    for (const { kind, brokers } of faults) {
      assert.ok(brokers.every((id) => ids.includes(id)))
      assert.equal(new Set(brokers).size, brokers.length)
      const expected = kind.endsWith('-all')
        ? 5
        : /majority|move-replicas/.test(kind)
          ? 3
          : /^cut|slow-link/.test(kind)
            ? 2
            : 1
      assert.equal(brokers.length, expected, kind)
    }
  }
  const double = all.filter(({ faults }) => faults.length === 2).length
  assert.ok(double > 50 && double < 250, `${double} of 500 are double`)
})

test('only the kinds that are asked for come, one at a time', () => {
  const all = episodes(1, 100, { kinds: ['isolate', 'restart'] })
  assert.deepEqual(
    new Set(all.map(({ faults }) => faults.map(({ kind }) => kind).join())),
    new Set(['isolate', 'restart']),
  )
})
