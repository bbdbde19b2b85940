import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Chunk, TopicFollower } from '../../../src/gateway/reading/follow.ts'
import type { WebSocketConnection } from '../../../src/gateway/ws/connection.ts'
import { Flow } from '../../../src/gateway/ws/flow.ts'
import { countedBatch, storedRecord } from '../reading/batches.ts'

/** A log's end that grows when the test says so. */
class FakeFollower {
  readonly #chunks: Chunk[] = []
  #nextOffset = 0
  #isStopped = false
  #wake: (() => void) | undefined

  add(sizes: readonly number[]): void {
    const fromOffset = this.#nextOffset
    const batch = countedBatch(
      sizes.map((size) => storedRecord(this.#nextOffset++, { value: Buffer.alloc(size) })),
    )
    const { byteLength } = batch
    this.#chunks.push({
      partition: 0,
      batches: [batch],
      fromOffset,
      nextOffset: this.#nextOffset,
      byteLength,
    })
    this.#wake?.()
  }

  async next(): Promise<Chunk | undefined> {
    for (;;) {
      if (this.#isStopped) return undefined
      const chunk = this.#chunks.shift()
      if (chunk !== undefined) return chunk
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#wake?.()
  }
}

/** A socket whose bytes leave when the test says so. */
class FakeConnection {
  readonly isOpen = true
  #whenGone: (() => void)[] = []
  #hasRoom = true
  #whenRoom: (() => void)[] = []

  get underWayCount(): number {
    return this.#whenGone.length
  }

  get hasRoom(): boolean {
    return this.#hasRoom
  }

  write(_frames: readonly Buffer[], whenGone?: () => void): void {
    if (whenGone !== undefined) this.#whenGone.push(whenGone)
  }

  room(): Promise<void> | undefined {
    return this.#hasRoom ? undefined : new Promise((resolve) => this.#whenRoom.push(resolve))
  }

  stall(): void {
    this.#hasRoom = false
  }

  /** All that was written leaves, and there is room again. */
  drain(): void {
    this.#hasRoom = true
    for (const gone of this.#whenGone.splice(0)) gone()
    for (const resolve of this.#whenRoom.splice(0)) resolve()
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('add' as const),
      sizes: fc.array(fc.nat(30), { minLength: 1, maxLength: 6 }),
    }),
    fc.record({ kind: fc.constant('grant' as const), records: fc.nat(6), bytes: fc.nat(60) }),
    fc.record({ kind: fc.constant('drain' as const) }),
    fc.record({ kind: fc.constant('stall' as const) }),
  ),
  { maxLength: 30 },
)

test('No reachable state has lag, credit, an idle socket with room, and nothing sent', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (plan) => {
      const follower = new FakeFollower()
      const connection = new FakeConnection()
      const sizes: number[] = []
      const sent: number[] = []
      const granted = { records: 0, bytes: 0 }
      const flow = new Flow({
        follower: follower as unknown as TopicFollower,
        connection: connection as unknown as WebSocketConnection,
        credit: { records: 0, bytes: 0 },
        fanOut: () => undefined,
        encode(chunk) {
          for (let offset = chunk.fromOffset; offset < chunk.nextOffset; offset++) sent.push(offset)
          return [Buffer.alloc(1)]
        },
      })
      const running = flow.run()
      for (const step of plan) {
        const before = sent.length
        const wasUnderWay = connection.underWayCount > 0
        if (step.kind === 'add') {
          sizes.push(...step.sizes)
          follower.add(step.sizes)
        } else if (step.kind === 'grant') {
          granted.records += step.records
          granted.bytes += step.bytes
          flow.grant(step)
        } else if (step.kind === 'drain') connection.drain()
        else connection.stall()
        await settle()
        const sentBytes = sent.reduce((sum, offset) => sum + sizes[offset]!, 0)
        assert.deepEqual(sent, [...sent.keys()], 'Each record once, in order.')
        assert.ok(sent.length <= granted.records, 'No more records than were granted.')
        const newest = sizes[sent.length - 1] ?? 0
        assert.ok(
          sentBytes <= granted.bytes || sentBytes - newest < granted.bytes,
          'One alone may be larger.',
        )
        if (sentBytes > granted.bytes && sent.length > before && step.kind !== 'drain')
          assert.ok(!wasUnderWay, 'A large one goes when nothing else is under way.')
        const credit = flow.credit
        assert.deepEqual(credit, {
          records: granted.records - sent.length,
          bytes: granted.bytes - sentBytes,
        })
        const isStuck =
          sent.length < sizes.length &&
          credit!.records > 0 &&
          credit!.bytes > 0 &&
          connection.hasRoom &&
          connection.underWayCount === 0
        assert.ok(!isStuck, `stuck at record ${sent.length} after ${step.kind}`)
      }
      flow.stop()
      connection.drain()
      await running
    }),
    { numRuns: 300, endOnFailure: true },
  )
})
