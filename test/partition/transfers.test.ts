import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { Transfers, TRANSFERS_MAX } from '../../src/partition/transfers.ts'
import { brokerId } from '../../src/types/ids.ts'

const TWO = brokerId(2)
const hasCode = (code: string) => (error: unknown) => error instanceof SynodError && error.code === code

test('an order to hand over is answered with what the core says', async () => {
  const transfers = new Transfers()
  const started = transfers.ask(1, TWO)
  transfers.started(1)
  await started
  for (const [reason, code] of [
    ['not-leader', 'no-leader'],
    ['under-way', 'overloaded'],
    ['target-not-ready', 'not-enough-in-sync'],
  ] as const) {
    const refused = assert.rejects(transfers.ask(2, TWO), hasCode(code))
    transfers.refused(2, reason)
    await refused
  }
})

test(`at most ${TRANSFERS_MAX} orders wait, and all are answered when the replica stops`, async () => {
  const transfers = new Transfers()
  const error = new SynodError('draining', 'The broker stops.')
  const waiting = Array.from({ length: TRANSFERS_MAX }, (_, token) =>
    assert.rejects(transfers.ask(token, TWO), hasCode('draining')),
  )
  await assert.rejects(transfers.ask(TRANSFERS_MAX, TWO), hasCode('overloaded'))
  transfers.stop(error)
  await Promise.all(waiting)
})
