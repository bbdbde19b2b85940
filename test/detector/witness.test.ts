import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Heartbeat, SeenStore, StoreStart } from '../../src/detector/heartbeat.ts'
import { CONDEMNED } from '../../src/detector/seen-stores.ts'
import { hasShrunk, STARTS_MAX, withStart } from '../../src/detector/starts.ts'
import { Witness } from '../../src/detector/witness.ts'
import { brokerId, storeId, type BrokerId, type StoreId } from '../../src/types/ids.ts'
import { sampleHeartbeat } from '../support/sample-messages.ts'

/** One process of a broker, as others hear it. */
class Process {
  readonly id: BrokerId
  readonly storeId: StoreId
  readonly bootId: string
  readonly witness: Witness
  readonly starts: readonly StoreStart[]
  durableLsn: number

  constructor(
    id: number,
    boot: string,
    options: {
      readonly recovered: number
      /** The process before it on the same disk; left out: what the disk had noted of it is gone. */
      readonly after?: Process
      readonly remembered?: readonly SeenStore[]
      readonly store?: string
    },
  ) {
    this.id = brokerId(id)
    this.storeId = storeId((options.store ?? String(id)).repeat(32))
    this.bootId = `${id}${boot}`
    this.witness = new Witness({ storeId: this.storeId, bootId: this.bootId })
    const { after, recovered } = options
    const noted = { storeId: this.storeId, starts: after?.starts ?? [] }
    this.starts = withStart(noted, this.storeId, { bootId: this.bootId, recovered }).starts
    this.witness.began(this.starts, options.remembered ?? [])
    this.durableLsn = options.recovered
  }

  heartbeat(to: Process): Heartbeat {
    const report = this.witness.report(to.id, this.durableLsn)
    assert.ok(report)
    return { ...sampleHeartbeat(1), bootId: this.bootId, store: report }
  }

  tell(to: Process): boolean {
    return to.witness.onHeartbeat(this.id, this.heartbeat(to))
  }

  /** Both hear each other, and each other's answer. */
  meet(other: Process): void {
    this.tell(other)
    other.tell(this)
    this.tell(other)
  }

  get answers(): readonly StoreId[] {
    return [...this.witness.standing.answers]
  }

  get isOutsider(): boolean {
    return this.witness.standing.isOutsider
  }
}

test('a start is answered by everybody who saw no more than it found', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 7 }), new Process(2, 'a', { recovered: 3 })]
  one.tell(two)
  assert.deepEqual(one.answers, [])
  assert.equal(two.tell(one), true)
  assert.deepEqual(one.answers, [two.storeId])
  assert.equal(two.tell(one), false, 'Once is enough.')
})

test('what a start wrote itself speaks for the next one, never against this one', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 7 }), new Process(2, 'a', { recovered: 3 })]
  one.durableLsn = 100
  one.meet(two)
  one.meet(two)
  assert.equal(one.isOutsider, false)
  const next = new Process(1, 'b', { recovered: 100 })
  next.meet(two)
  assert.deepEqual([next.isOutsider, next.answers], [false, [two.storeId]])
})

test('a store that found less than somebody saw is an outsider, and everybody who hears so remembers it', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 7 }), new Process(2, 'a', { recovered: 3 })]
  one.durableLsn = 100
  one.meet(two)
  const old = new Process(1, 'b', { recovered: 99 })
  old.tell(two)
  assert.equal(two.tell(old), true)
  assert.deepEqual([old.isOutsider, old.witness.lost, old.answers], [true, 100, []])
  old.tell(two)
  assert.equal(two.witness.peer(old.id)?.isOutsider, true)
  // It has grown beyond what was seen; a witness that was told condemns it all the same.
  const grown = new Process(1, 'c', { recovered: 1_000 })
  grown.meet(two)
  assert.deepEqual([grown.isOutsider, grown.witness.lost], [true, CONDEMNED])
})

test('what a broker saw that is gone now is known to those whom it told', () => {
  const leader = new Process(1, 'a', { recovered: 0 })
  const [two, three] = [new Process(2, 'a', { recovered: 50 }), new Process(3, 'a', { recovered: 0 })]
  two.durableLsn = 60
  two.tell(leader)
  leader.tell(three)
  const old = new Process(2, 'b', { recovered: 55 })
  old.meet(three)
  assert.equal(old.witness.lost, 60)
})

test('a witness that comes later objects too', () => {
  const [one, two, three] = [1, 2, 3].map((id) => new Process(id, 'a', { recovered: 0 })) as [
    Process,
    Process,
    Process,
  ]
  one.durableLsn = 10
  one.meet(three)
  const old = new Process(1, 'b', { recovered: 5 })
  old.meet(two)
  assert.equal(old.isOutsider, false)
  old.meet(three)
  assert.equal(old.isOutsider, true)
})

test('a witness that was started again knows what was noted', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 0 }), new Process(2, 'a', { recovered: 0 })]
  one.durableLsn = 10
  one.meet(two)
  const remembered = two.witness.takeNews()
  assert.ok(remembered)
  const old = new Process(1, 'b', { recovered: 9 })
  old.meet(new Process(2, 'b', { recovered: 0, remembered }))
  assert.equal(old.witness.lost, 10)
})

test("an outsider's answer does not count, its objection does", () => {
  const [one, two] = [new Process(1, 'a', { recovered: 20 }), new Process(2, 'a', { recovered: 0 })]
  assert.equal(two.witness.exclude(), true)
  assert.equal(two.witness.exclude(), false)
  one.meet(two)
  assert.deepEqual([one.answers, one.isOutsider], [[], false])
  const old = new Process(1, 'b', { recovered: 19 })
  old.meet(two)
  assert.equal(old.isOutsider, true)
})

test('an answer to an earlier start is no answer to this one', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 5 }), new Process(2, 'a', { recovered: 0 })]
  one.tell(two)
  const late = two.heartbeat(one)
  const next = new Process(1, 'b', { recovered: 5 })
  assert.equal(next.witness.onHeartbeat(two.id, late), false)
  assert.deepEqual(next.answers, [])
})

test('a heartbeat of an earlier start that comes late accuses nobody', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 5 }), new Process(2, 'a', { recovered: 0 })]
  const late = one.heartbeat(two)
  const next = new Process(1, 'b', { recovered: 50 })
  next.meet(two)
  two.witness.onHeartbeat(one.id, late)
  next.meet(two)
  const third = new Process(1, 'c', { recovered: 50 })
  third.meet(two)
  assert.deepEqual([next.isOutsider, third.isOutsider], [false, false])
})

test('what was written since a loss does not hide it, however often the store starts before a witness is there', () => {
  const [one, two] = [new Process(1, 'a', { recovered: 0 }), new Process(2, 'a', { recovered: 0 })]
  one.durableLsn = 2
  one.meet(two)
  // The record of number 2 is lost; a start that nobody hears of writes another one in its place, and more.
  const second = new Process(1, 'b', { recovered: 1, after: one })
  const third = new Process(1, 'c', { recovered: 9, after: second })
  third.meet(two)
  assert.deepEqual([third.isOutsider, third.witness.lost, third.answers], [true, 2, []])
})

test('a start that was lost as a whole with what it wrote is missed all the same', () => {
  const first = new Process(1, 'a', { recovered: 0 })
  const lost = new Process(1, 'b', { recovered: 5, after: first })
  const two = new Process(2, 'a', { recovered: 0 })
  lost.durableLsn = 8
  lost.meet(two)
  const second = new Process(1, 'c', { recovered: 4, after: first })
  const third = new Process(1, 'd', { recovered: 20, after: second })
  third.meet(two)
  assert.deepEqual([third.isOutsider, third.witness.lost], [true, 8])
})

test('a start that is older than all that its store tells of accuses nobody', () => {
  const two = new Process(2, 'a', { recovered: 0 })
  let last = new Process(1, '0', { recovered: 0 })
  for (let number = 1; number <= 2 * STARTS_MAX; number++) {
    last.durableLsn += 3
    if (number % 5 === 1) last.meet(two)
    last = new Process(1, `${number}`, { recovered: last.durableLsn, after: last })
  }
  last.meet(two)
  assert.equal(last.starts.length, STARTS_MAX)
  assert.deepEqual([last.isOutsider, last.answers], [false, [two.storeId]])
})

test('a store that finds less than an earlier start of it had noted knows by itself that it has forgotten', () => {
  const first = new Process(1, 'a', { recovered: 5 })
  const second = new Process(1, 'b', { recovered: 5, after: first })
  const third = new Process(1, 'c', { recovered: 4, after: second })
  assert.deepEqual(
    [first, second, third].map(({ starts }) => hasShrunk(starts)),
    [false, false, true],
  )
})

test('a note of starts that is damaged or of another store is none', () => {
  const one = new Process(1, 'a', { recovered: 7 })
  const start = { bootId: '1b', recovered: 9 }
  const alone = { storeId: one.storeId, starts: [start] }
  for (const noted of [
    undefined,
    'nonsense',
    { storeId: one.storeId, starts: [{ bootId: 1 }] },
    { storeId: 'f'.repeat(32), starts: one.starts },
  ])
    assert.deepEqual(withStart(noted, one.storeId, start), alone)
})

test('nothing is told and no answer counts before the store was read', () => {
  const unread = new Witness({ storeId: storeId('1'.repeat(32)), bootId: 'a' })
  assert.equal(unread.report(brokerId(2), 0), undefined)
  const two = new Process(2, 'a', { recovered: 0 })
  const heartbeat = two.heartbeat(new Process(1, 'a', { recovered: 0 }))
  const answer = { ...heartbeat, store: { ...heartbeat.store, view: { bootId: 'a', lost: 9 } } }
  assert.equal(unread.onHeartbeat(two.id, answer), false)
  assert.equal(unread.standing.isOutsider, false)
})
