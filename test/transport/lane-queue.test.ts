import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LaneQueue, type FrameRank, type OutgoingFrame } from '../../src/transport/lane-queue.ts'
import { FRAME_OVERHEAD_BYTES } from '../../src/transport/limits.ts'

interface Labelled extends OutgoingFrame {
  readonly label: string
}

function frame(
  label: string,
  rank: FrameRank,
  byteLength: number,
  more: Partial<OutgoingFrame> = {},
): Labelled {
  return { label, rank, byteLength, chunks: [], ...more }
}

function labels(queue: LaneQueue): string[] {
  const taken: string[] = []
  for (let next = queue.take(); next !== undefined; next = queue.take()) taken.push((next as Labelled).label)
  return taken
}

/** A queue for three frames of 100 bytes. */
function smallQueue(): { queue: LaneQueue; dropped: () => number } {
  let count = 0
  const queue = new LaneQueue(3 * (100 + FRAME_OVERHEAD_BYTES), () => count++)
  return { queue, dropped: () => count }
}

test('a full queue drops its oldest Accepts first', () => {
  const { queue, dropped } = smallQueue()
  queue.offer(frame('learned', 'ordinary', 100))
  queue.offer(frame('accept 1', 'accept', 100))
  queue.offer(frame('accept 2', 'accept', 100))
  queue.offer(frame('accept 3', 'accept', 100))
  queue.offer(frame('sync', 'ordinary', 100))
  assert.equal(dropped(), 2)
  assert.deepEqual(labels(queue), ['learned', 'accept 3', 'sync'])
  assert.equal(queue.byteLength, 0)
})

test('without Accepts a full queue drops its oldest frame, but no heartbeat', () => {
  const { queue } = smallQueue()
  queue.offer(frame('heartbeat', 'heartbeat', 100))
  for (const label of ['a', 'b', 'c', 'd']) queue.offer(frame(label, 'ordinary', 100))
  assert.deepEqual(labels(queue), ['heartbeat', 'c', 'd'])
})

test('a newer heartbeat takes the place of the older, and that counts as no drop', () => {
  const { queue, dropped } = smallQueue()
  for (let sequence = 1; sequence <= 1_000; sequence++) queue.offer(frame(`hb ${sequence}`, 'heartbeat', 100))
  assert.equal(dropped(), 0)
  assert.deepEqual(labels(queue), ['hb 1000'])
})

test('a single frame above the bound waits alone', () => {
  const { queue } = smallQueue()
  queue.offer(frame('small', 'ordinary', 100))
  queue.offer(frame('large', 'accept', 10_000))
  assert.deepEqual(labels(queue), ['large'])
})

test('each frame is told once that it leaves or that it was dropped', () => {
  const told: string[] = []
  const { queue } = smallQueue()
  const place = (label: string): ReturnType<LaneQueue['offer']> =>
    queue.offer(
      frame(label, 'ordinary', 100, {
        onLeave: () => told.push(`${label} leaves`),
        onDropped: () => told.push(`${label} dropped`),
      }),
    )
  const [a, b] = [place('a'), place('b')]
  place('c')
  place('d')
  queue.take()
  queue.withdraw(a)
  queue.withdraw(b)
  queue.withdraw(b)
  queue.clear()
  assert.deepEqual(told, ['a dropped', 'b leaves', 'c dropped', 'd dropped'])
  assert.ok(queue.isEmpty)
})

test('the queue never holds more than its bound, keeps order, and loses no frame unseen', () => {
  const step = fc.oneof(
    fc.record({
      act: fc.constant('offer' as const),
      rank: fc.constantFrom<FrameRank>('accept', 'ordinary', 'heartbeat'),
      size: fc.integer({ min: 1, max: 2_000 }),
    }),
    fc.record({ act: fc.constant('take' as const) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const bytesMax = 20_000
      const seen = new Set<number>()
      const queue = new LaneQueue(bytesMax, () => undefined)
      let offered = 0
      let lastTaken = -1
      let heartbeats = 0
      for (const { act, ...rest } of steps) {
        if (act === 'take') {
          const next = queue.take()
          if (next === undefined) continue
          const number = Number((next as Labelled).label)
          assert.ok(number > lastTaken)
          lastTaken = number
          seen.add(number)
        } else if ('rank' in rest) {
          const number = offered++
          if (rest.rank === 'heartbeat') heartbeats++
          queue.offer(frame(String(number), rest.rank, rest.size, { onDropped: () => seen.add(number) }))
        }
        assert.ok(queue.byteLength <= bytesMax)
      }
      for (const label of labels(queue)) seen.add(Number(label))
      assert.ok(offered - seen.size <= Math.max(0, heartbeats - 1))
      assert.equal(queue.byteLength, 0)
    }),
  )
})

/** In time that grows with the square of the length this would take minutes. */
test('frames are dropped from a long queue', () => {
  const queue = new LaneQueue(50_000 * (1 + FRAME_OVERHEAD_BYTES), () => undefined)
  for (let number = 0; number < 300_000; number++)
    queue.offer(frame('x', number % 2 ? 'ordinary' : 'accept', 1))
  assert.ok(queue.byteLength <= 50_000 * (1 + FRAME_OVERHEAD_BYTES))
})
