import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WAITING_MAX, WaitingRoom } from '../../src/controller/waiting-room.ts'
import { SynodError } from '../../src/errors.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

function open() {
  const clock = new VirtualClock()
  const room = new WaitingRoom()
  const reached = (slot: number, timeoutMs = 1_000) =>
    room.reached(slot, timeoutMs, (run, delayMs) => clock.later(run, delayMs))
  return { clock, room, reached }
}

const hasCode = (code: string) => (error: unknown) => error instanceof SynodError && error.code === code

test('who asks for what is applied goes on at once, who is ahead waits for it', async () => {
  const { clock, room, reached } = open()
  room.applied(5)
  await reached(5)
  const order: number[] = []
  const waiting = [7, 6].map((slot) => reached(slot).then(() => order.push(slot)))
  room.applied(6)
  await waiting[1]
  assert.deepEqual(order, [6])
  room.applied(9)
  await Promise.all(waiting)
  assert.deepEqual([order, clock.timerCount], [[6, 7], 0])
})

test('a broker that does not learn in time says that it is behind', async () => {
  const { clock, room, reached } = open()
  const late = assert.rejects(reached(5), hasCode('replica-behind'))
  clock.advance(1_000)
  await late
  room.applied(5)
  await reached(5)
})

test(`at most ${WAITING_MAX} wait`, async () => {
  const { room, reached } = open()
  const waiting = Array.from({ length: WAITING_MAX }, () => reached(1))
  await assert.rejects(reached(1), hasCode('overloaded'))
  room.applied(1)
  await Promise.all(waiting)
  const next = reached(2)
  room.applied(2)
  await next
})
