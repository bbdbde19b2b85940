import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXCHANGE_MS, FULL_EXCHANGE_EVERY, LOOKS_MAX, LOOK_EVERY_MS } from '../../src/partition/digests.ts'
import { DIGEST_PLACES_MAX } from '../../src/types/digest.ts'
import { brokerId } from '../../src/types/ids.ts'
import { at, Compared, placeOf } from './compared.ts'

/** Long enough for answers that gather, far shorter than an exchange. */
const ANSWERED_MS = 200

test('replicas that agree tell each other once, and nothing more until something is chosen', () => {
  const world = new Compared()
  world.hold(1, at(5), at(5), at(5))
  world.clock.advance(EXCHANGE_MS + ANSWERED_MS)
  const first = world.takeSent()
  assert.ok(first.length <= 12, `${first.length} messages.`)
  assert.ok(first.some(({ kind }) => kind === 'confirm'))
  world.clock.advance(EXCHANGE_MS * FULL_EXCHANGE_EVERY * 3)
  assert.deepEqual(world.takeSent(), [])
  world.hold(1, at(6), at(6), at(6))
  world.clock.advance(EXCHANGE_MS)
  assert.ok(world.takeSent().length > 0)
  for (const { errors, failures, digests } of world.brokers) {
    assert.deepEqual([errors, failures, digests.differenceCount], [[], [], 0])
    assert.ok(digests.sentCount > 0)
  }
})

test('a thousand groups are told in messages of 64, and cost nothing while they are idle', () => {
  const world = new Compared()
  for (let group = 1; group <= 1_000; group++) world.hold(group, at(9), at(9), at(9))
  world.clock.advance(EXCHANGE_MS + ANSWERED_MS)
  const sent = world.takeSent()
  const perPair = sent.length / 6
  assert.ok(
    perPair <= 2 * Math.ceil(1_000 / DIGEST_PLACES_MAX) + 2,
    `${perPair} messages a pair and direction.`,
  )
  assert.ok(sent.every(({ places }) => places.length <= DIGEST_PLACES_MAX))
  world.clock.advance(EXCHANGE_MS * FULL_EXCHANGE_EVERY * 2)
  assert.deepEqual(world.takeSent(), [])
})

test('a replica that is behind is told, and confirms when it has got there', () => {
  const world = new Compared()
  world.hold(1, at(5), at(4), at(5))
  world.clock.advance(EXCHANGE_MS + ANSWERED_MS)
  assert.ok(world.at(2).told.every(({ group, commit }) => group === 1 && commit === 5))
  assert.deepEqual(new Set(world.at(2).told.map(({ from }) => from)), new Set([1, 3]))
  world.takeSent()
  world.at(2).reach(1, at(5))
  world.clock.advance(ANSWERED_MS)
  assert.deepEqual(
    world.takeSent().map(({ kind }) => kind),
    ['confirm', 'confirm'],
  )
  // Its own next exchange, because it moved, finds all told.
  world.clock.advance(EXCHANGE_MS * FULL_EXCHANGE_EVERY)
  assert.deepEqual(world.takeSent(), [])
})

test('what nobody confirmed is told again at the next full exchange, and not before', () => {
  const world = new Compared(2)
  world.hold(1, at(5), at(4))
  world.loses = () => true
  world.clock.advance(EXCHANGE_MS + ANSWERED_MS)
  assert.equal(world.takeSent().length, 2)
  world.loses = () => false
  world.clock.advance(EXCHANGE_MS * (FULL_EXCHANGE_EVERY - 2))
  assert.deepEqual([world.at(2).told, world.takeSent()], [[], []])
  world.clock.advance(EXCHANGE_MS)
  assert.ok(world.at(2).told.length > 0)
})

test('a tell from below is replied to, a reply is not', () => {
  const world = new Compared(2)
  world.hold(1, at(5), at(5))
  const { digests, sent } = world.at(1)
  digests.received(brokerId(2), { kind: 'reply', places: [placeOf(1, at(4))] })
  world.clock.advance(ANSWERED_MS)
  assert.deepEqual(sent, [])
  digests.received(brokerId(2), { kind: 'tell', places: [placeOf(1, at(4))] })
  world.clock.advance(ANSWERED_MS)
  assert.deepEqual(sent[0], { to: 2, digest: { kind: 'reply', places: [placeOf(1, at(5))] } })
  assert.equal(world.at(2).sent[0]!.digest.kind, 'confirm')
})

test('nothing is remembered of a group that was removed', () => {
  const world = new Compared(2)
  world.hold(1, at(5), at(5))
  world.clock.advance(EXCHANGE_MS + ANSWERED_MS)
  for (const { groups } of world.brokers) groups.clear()
  world.clock.advance(EXCHANGE_MS)
  world.takeSent()
  world.hold(1, at(5), at(5))
  world.clock.advance(EXCHANGE_MS)
  assert.ok(world.takeSent().some(({ kind }) => kind === 'tell'))
})

test('a broker that is not heard is told nothing until it is back', () => {
  const world = new Compared()
  world.down.add(3)
  world.hold(1, at(5), at(5), at(2))
  world.at(3).digests.stop()
  world.clock.advance(EXCHANGE_MS * FULL_EXCHANGE_EVERY)
  assert.ok(world.brokers.every(({ sent }) => sent.every(({ to }) => to !== 3)))
  world.down.delete(3)
  world.clock.advance(EXCHANGE_MS * FULL_EXCHANGE_EVERY)
  assert.ok(world.at(1).sent.some(({ to }) => to === 3))
})

test('groups that are not here, and what a broker says to itself, change nothing', () => {
  const world = new Compared(2)
  world.hold(1, at(5), at(5))
  const { digests, told, sent } = world.at(1)
  digests.received(brokerId(2), { kind: 'tell', places: [placeOf(2, at(7))] })
  digests.received(brokerId(1), { kind: 'tell', places: [placeOf(1, at(7))] })
  world.clock.advance(ANSWERED_MS)
  assert.deepEqual([told, sent], [[], []])
})

test('of a broker without a vote it is heard that more is chosen, and nothing is compared with it', () => {
  const world = new Compared(2)
  world.hold(1, at(5), at(5))
  const { digests, told, sent } = world.at(1)
  digests.received(brokerId(9), { kind: 'tell', places: [placeOf(1, { ...at(5), nextOffset: 77 })] })
  digests.received(brokerId(9), { kind: 'tell', places: [placeOf(1, at(7))] })
  world.clock.advance(ANSWERED_MS)
  assert.deepEqual(told, [{ group: 1, from: 9, commit: 7 }])
  assert.deepEqual([sent, digests.differenceCount], [[], 0])
})

test('a replica whose offsets differ from those of a majority stops its broker, and no other', () => {
  for (const wrong of [1, 2, 3]) {
    const world = new Compared()
    const held = [1, 2, 3].map((id) => (id === wrong ? at(5, 55, 9) : at(5, 55, 10)))
    world.hold(1, ...held)
    world.clock.advance(EXCHANGE_MS + LOOK_EVERY_MS * (LOOKS_MAX + 2))
    for (const { id, failures, errors, digests } of world.brokers) {
      assert.equal(failures.length, id === wrong ? 1 : 0, `Broker ${id}, wrong is ${wrong}.`)
      assert.ok(digests.differenceCount > 0)
      if (id !== wrong) assert.match(errors.join(), new RegExp(`at broker ${wrong}\\. A majority`))
    }
    assert.match(
      world.at(wrong).failures[0]!.message,
      /^I7: group 1 at slot 5 is chain 00000037 up to offset 9 here and chain 00000037 up to offset 10 at broker \d\. No majority/,
    )
  }
})

test('where no majority can be asked both that differ stop, within a bounded time', () => {
  const world = new Compared()
  world.down.add(3)
  world.hold(1, at(5, 55, 10), at(5, 55, 9), at(5, 55, 10))
  world.clock.advance(EXCHANGE_MS + LOOK_EVERY_MS * (LOOKS_MAX + 2))
  assert.deepEqual(
    world.brokers.map(({ failures }) => failures.length),
    [1, 1, 0],
  )
})

test('another value at a slot that is still in memory is noticed by the one that is ahead', () => {
  const world = new Compared()
  world.chainsInMemory.set(4, 44)
  world.hold(1, at(5), at(4, 99), at(5))
  world.clock.advance(EXCHANGE_MS + LOOK_EVERY_MS * (LOOKS_MAX + 2))
  assert.match(world.at(1).errors.join(), /^I4: group 1 at slot 4 is chain 0000002c here and chain 00000063/)
  assert.deepEqual([world.at(1).failures, world.at(3).failures], [[], []])
})

test('what is behind is compared at the slot that was told, when it is applied', () => {
  const world = new Compared()
  world.hold(1, at(5), at(3), at(5))
  world.clock.advance(EXCHANGE_MS + ANSWERED_MS)
  world.at(2).reach(1, at(4))
  assert.equal(world.at(2).digests.differenceCount, 0)
  world.at(2).reach(1, at(5, 55, 9))
  assert.equal(world.at(2).digests.differenceCount, 1)
  world.clock.advance(LOOK_EVERY_MS * (LOOKS_MAX + 1))
  assert.deepEqual(
    world.brokers.map(({ failures }) => failures.length),
    [0, 1, 0],
  )
})

test('replicas that never stand still are compared all the same', () => {
  const world = new Compared()
  let commit = 1
  const move = () => {
    commit++
    // The leader is ahead of the others by one slot at every moment.
    for (const broker of world.brokers) broker.reach(1, at(broker.id === 1 ? commit : commit - 1))
    world.clock.later(move, 20)
  }
  world.hold(1, at(2), at(1), at(1))
  move()
  world.clock.advance(EXCHANGE_MS * 2 + ANSWERED_MS)
  const confirmed = world.brokers.flatMap(({ sent }) =>
    sent.filter(({ digest }) => digest.kind === 'confirm'),
  )
  assert.ok(confirmed.length > 0)
  assert.ok(world.brokers.every(({ digests }) => digests.differenceCount === 0))
})

test('a group that is removed is forgotten, also in the middle of a difference', () => {
  const world = new Compared(2)
  world.hold(1, at(5, 55, 10), at(5, 55, 9))
  world.clock.advance(EXCHANGE_MS + 1)
  for (const { groups } of world.brokers) groups.clear()
  world.clock.advance(LOOK_EVERY_MS * (LOOKS_MAX + 1) + EXCHANGE_MS)
  assert.ok(world.brokers.every(({ failures }) => failures.length === 0))
})

test('after stop nothing is timed and nothing is sent', () => {
  const world = new Compared(2)
  world.hold(1, at(5, 55, 10), at(5, 55, 9))
  world.clock.advance(EXCHANGE_MS + 2)
  for (const { digests } of world.brokers) digests.stop()
  world.takeSent()
  world.at(1).digests.received(brokerId(2), { kind: 'tell', places: [placeOf(1, at(5))] })
  assert.deepEqual([world.clock.timerCount, world.takeSent()], [0, []])
})
