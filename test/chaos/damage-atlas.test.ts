import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DamageAtlas } from './damage-atlas.ts'

test('of three replicas one is damaged at a time, of five two', () => {
  for (const replicas of [3, 5]) {
    const atlas = new DamageAtlas(replicas)
    const woundsMax = (replicas - 1) / 2
    for (let broker = 1; broker <= replicas; broker++) atlas.wound(atlas.victim(broker), 'store')
    assert.deepEqual(
      atlas.wounds.map(({ broker }) => broker),
      [1, 2].slice(0, woundsMax),
    )
    assert.throws(() => atlas.wound(replicas, 'store'), /too many/)
  }
})

test('a disk may be damaged again before it is cured, and another one after', () => {
  const atlas = new DamageAtlas(3)
  atlas.wound(2, 'old')
  const [wound] = atlas.wounds
  assert.equal(atlas.victim(2), 2)
  assert.equal(atlas.victim(3), 2)
  atlas.wound(2, 'newer')
  assert.equal(atlas.cure(wound!, 'newer'), undefined, 'what was seen before the second damage says nothing')
  assert.equal(atlas.victim(3), 2)
  const cure = atlas.cure(atlas.wounds[0]!, 'newest')
  assert.equal(cure?.isReplaced, true)
  assert.equal(atlas.victim(3), 3)
  assert.deepEqual([atlas.wounds, atlas.everWounded, atlas.cures], [[], [2], [cure]])
})

test('a broker that is well with the store it had was not replaced', () => {
  const atlas = new DamageAtlas(3)
  atlas.wound(1, 'store')
  assert.equal(atlas.cure(atlas.wounds[0]!, 'store')?.isReplaced, false)
})
