import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { FULL_ACKS_MAX, FullAcks } from '../../src/partition/full-acks.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function open() {
  const clock = new VirtualClock()
  return { clock, acks: new FullAcks((run, delayMs) => clock.later(run, delayMs)) }
}

const hasCode = (code: string) => (error: unknown) => error instanceof SynodError && error.code === code

test('an append waits until everybody in sync has its slot', async () => {
  const { clock, acks } = open()
  const [first, second] = [acks.reserve().wait(5, 1_000), acks.reserve().wait(6, 1_000)]
  acks.reached(4)
  assert.equal(acks.count, 2)
  acks.reached(5)
  await first
  assert.equal(acks.count, 1)
  acks.reached(6)
  await second
  assert.equal(clock.timerCount, 0)
})

test('an append whose time is over, or whose leader is gone, is told that it may be stored', async () => {
  const { clock, acks } = open()
  const late = assert.rejects(acks.reserve().wait(5, 1_000), hasCode('outcome-unknown'))
  clock.advance(1_000)
  await late
  const left = assert.rejects(acks.reserve().wait(5, 1_000), hasCode('outcome-unknown'))
  acks.giveUp()
  await left
  assert.deepEqual([acks.count, clock.timerCount], [0, 0])
})

test(`at most ${FULL_ACKS_MAX} appends may want to wait, told before anything is proposed`, () => {
  const { acks } = open()
  const places = Array.from({ length: FULL_ACKS_MAX }, () => acks.reserve())
  assert.throws(() => acks.reserve(), hasCode('overloaded'))
  places[0]!.release()
  acks.reserve()
})
