import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Loop, type TurnTaker } from '../../src/partition/loop.ts'
import type { Moment } from '../../src/paxos/effects.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'

/** Does what a test tells it to, and notes when. */
class Taker implements TurnTaker {
  readonly log: string[]
  readonly name: string
  wantsAtMs: number | undefined
  onTurn: () => void = () => {}
  onOffer: () => void = () => {}

  constructor(name: string, log: string[]) {
    this.name = name
    this.log = log
  }

  takeTurn(_moment: Moment): number | undefined {
    this.log.push(`${this.name} turn`)
    this.onTurn()
    return this.wantsAtMs
  }

  offerProposals(_moment: Moment): number | undefined {
    this.log.push(`${this.name} offer`)
    this.onOffer()
    return this.wantsAtMs
  }
}

function open() {
  const clock = new VirtualClock()
  const writer = { isIdle: true }
  const loop = new Loop(clock, () => writer.isIdle)
  const log: string[] = []
  return { clock, writer, loop, log, taker: (name: string) => new Taker(name, log) }
}

test('nothing acts on arrival: all who were woken take one turn together, proposals after everybody', async () => {
  const { loop, log, taker } = open()
  const [a, b] = [taker('a'), taker('b')]
  loop.wakeForProposals(a, 1e6)
  loop.wake(b)
  loop.wake(a)
  loop.wake(b)
  assert.deepEqual(log, [])
  await turns(3)
  assert.deepEqual(log, ['b turn', 'a turn', 'a offer'])
})

test('who is woken during a turn takes the next one', async () => {
  const { loop, log, taker } = open()
  const [a, b] = [taker('a'), taker('b')]
  a.onTurn = () => loop.wake(b)
  loop.wake(a)
  await turns(1)
  assert.deepEqual(log, ['a turn'])
  await turns(1)
  assert.deepEqual(log, ['a turn', 'b turn'])
})

test('proposals wait while the writer is busy, and become one offer when it is idle', async () => {
  const { loop, log, writer, taker } = open()
  const a = taker('a')
  writer.isIdle = false
  loop.wakeForProposals(a, 1e6)
  loop.wake(a)
  await turns(3)
  assert.deepEqual(log, ['a turn'])
  loop.wakeForProposals(a, 1e6)
  writer.isIdle = true
  loop.writerIdle()
  await turns(3)
  assert.deepEqual(log, ['a turn', 'a offer'])
})

test('proposals join the batch of a turn that writes by itself', async () => {
  const { loop, log, writer, taker } = open()
  const [follower, leader] = [taker('follower'), taker('leader')]
  follower.onTurn = () => (writer.isIdle = false)
  loop.wake(follower)
  loop.wakeForProposals(leader, 1e6)
  await turns(2)
  assert.deepEqual(log, ['follower turn', 'leader offer'])
})

test('proposals are not kept waiting for ever by groups that keep the writer busy', async () => {
  const { loop, log, writer, taker } = open()
  const [follower, leader] = [taker('follower'), taker('leader')]
  follower.onTurn = () => (writer.isIdle = false)
  writer.isIdle = false
  loop.wakeForProposals(leader, 1e6)
  for (let batch = 0; batch < 3; batch++) {
    loop.wake(follower)
    await turns(2)
    // A batch is done; what the follower queued meanwhile leaves at once.
    loop.writerIdle()
  }
  assert.equal(log.filter((line) => line === 'leader offer').length, 1)
})

test('a deadline brings a turn without anybody waking, and none when it was taken back', async () => {
  const { clock, loop, log, taker } = open()
  const [a, b] = [taker('a'), taker('b')]
  a.wantsAtMs = clock.nowMs() + 100
  b.wantsAtMs = clock.nowMs() + 100
  loop.wake(a)
  loop.wake(b)
  await turns(2)
  loop.remove(b)
  clock.advance(99)
  await turns(2)
  assert.equal(log.length, 2)
  a.wantsAtMs = undefined
  clock.advance(1)
  await turns(2)
  assert.deepEqual(log, ['a turn', 'b turn', 'a turn'])
  assert.equal(clock.timerCount, 0)
})

test('who waits to propose gets a turn by its deadline though the writer never becomes idle', async () => {
  const { clock, loop, log, writer, taker } = open()
  const a = taker('a')
  writer.isIdle = false
  loop.wakeForProposals(a, clock.nowMs() + 100)
  loop.wakeForProposals(a, clock.nowMs() + 200)
  clock.advance(100)
  await turns(2)
  assert.deepEqual(log, ['a turn'])
})

test('a loop that was stopped gives no more turns and leaves no timer', async () => {
  const { clock, loop, log, writer, taker } = open()
  const a = taker('a')
  a.wantsAtMs = clock.nowMs() + 10
  loop.wake(a)
  await turns(2)
  loop.wake(a)
  loop.stop()
  await turns(2)
  writer.isIdle = false
  loop.wakeForProposals(a, clock.nowMs() + 5)
  loop.writerIdle()
  clock.advance(100)
  await turns(2)
  assert.deepEqual(log, ['a turn'])
  assert.equal(clock.timerCount, 0)
})
