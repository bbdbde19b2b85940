import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Turns } from '../../../src/gateway/reading/turns.ts'

const nextTurn = () => new Promise((resolve) => setImmediate(resolve))

test('goes on at once while a turn has room, and the last to fit may be large', async () => {
  const turns = new Turns(100)
  assert.equal(turns.enter(60), undefined)
  assert.equal(turns.enter(1_000), undefined)
  assert.notEqual(turns.enter(1), undefined)
  await nextTurn()
  await nextTurn()
  await nextTurn()
  assert.equal(turns.enter(1), undefined, 'a turn begins with all of its room')
})

test('lets in what waits in its order, a turn’s worth each turn', async () => {
  const turns = new Turns(100)
  void turns.enter(100)
  const entered: number[] = []
  for (const id of [0, 1, 2, 3, 4]) void turns.enter(50)?.then(() => entered.push(id))
  const perTurn: number[] = []
  while (entered.length < 5) {
    const before = entered.length
    await nextTurn()
    perTurn.push(entered.length - before)
  }
  assert.deepEqual(entered, [0, 1, 2, 3, 4])
  assert.ok(Math.max(...perTurn) <= 2, `${perTurn.join(', ')} entered a turn`)
})

test('who comes later waits behind those who wait', async () => {
  const turns = new Turns(10)
  void turns.enter(10)
  const entered: string[] = []
  const large = turns.enter(10)?.then(() => entered.push('first'))
  const small = turns.enter(1)?.then(() => entered.push('second'))
  await Promise.all([large, small])
  assert.deepEqual(entered, ['first', 'second'])
})
