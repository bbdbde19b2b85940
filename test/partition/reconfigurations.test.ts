import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { Reconfigurations, RECONFIGURATIONS_MAX } from '../../src/partition/reconfigurations.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const hasCode = (code: string) => (error: unknown) => error instanceof SynodError && error.code === code

test('an order to change voters is answered with what the core says, or after its time', async () => {
  const clock = new VirtualClock()
  const orders = new Reconfigurations()
  const done = orders.ask(1, 1_000, clock)
  orders.done(1, 7)
  assert.deepEqual(await done, { number: 7 })
  for (const [reason, code] of [
    ['not-leader', 'no-leader'],
    ['under-way', 'overloaded'],
    ['learner-behind', 'not-enough-in-sync'],
    ['not-enough-in-sync', 'not-enough-in-sync'],
    ['invalid', 'malformed-request'],
  ] as const) {
    const refused = assert.rejects(orders.ask(2, 1_000, clock), hasCode(code))
    orders.refused(2, reason)
    await refused
  }
  const unknown = assert.rejects(orders.ask(3, 1_000, clock), hasCode('outcome-unknown'))
  clock.advance(1_001)
  await unknown
  orders.done(3, 8)
})

test(`at most ${RECONFIGURATIONS_MAX} orders wait, and all are answered when the replica stops`, async () => {
  const clock = new VirtualClock()
  const orders = new Reconfigurations()
  const waiting = Array.from({ length: RECONFIGURATIONS_MAX }, (_, token) =>
    assert.rejects(orders.ask(token, 1_000, clock), hasCode('draining')),
  )
  await assert.rejects(orders.ask(RECONFIGURATIONS_MAX, 1_000, clock), hasCode('overloaded'))
  orders.stop(new SynodError('draining', 'The broker stops.'))
  await Promise.all(waiting)
})
