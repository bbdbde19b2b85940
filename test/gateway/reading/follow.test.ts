import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError } from '../../../src/errors.ts'
import { TopicFollower, type Chunk, type FollowOptions } from '../../../src/gateway/reading/follow.ts'
import type { Log, ReadRequest } from '../../../src/gateway/ports.ts'
import { systemTimers } from '../../../src/gateway/reading/timers.ts'
import type { Topic } from '../../../src/types/topic.ts'
import { eventually } from '../../support/eventually.ts'
import { fakePorts, type FakePorts } from '../fakes.ts'
import { VirtualTimers } from './virtual-timers.ts'

const defaults: FollowOptions = {
  ends: undefined,
  bytesMax: 4_096,
  timers: systemTimers,
  findTopic: undefined,
}

function follow(
  ports: { log: Log },
  topic: Topic,
  starts: Record<number, number>,
  more: Partial<FollowOptions> = {},
) {
  const map = new Map(Object.entries(starts).map(([partition, next]) => [Number(partition), next]))
  return new TopicFollower(ports.log, topic, map, { ...defaults, ...more })
}

function fill(ports: FakePorts, topic: Topic, partition: number, batchCount: number, each = 1): void {
  for (let batch = 0; batch < batchCount; batch++) {
    ports.log.put(
      topic,
      partition,
      Array.from({ length: each }, (_, index) => ({ value: Buffer.from(`${partition}-${batch}-${index}`) })),
    )
  }
}

/** The offsets of a chunk as a sink shows them. */
function offsetsOf(chunk: Chunk): number[] {
  return chunk.batches
    .flatMap(({ records }) => records.map(({ offset }) => offset))
    .filter((offset) => offset >= chunk.fromOffset)
}

/** Reads until so many records came, and checks that each partition comes in order without gap or repeat. */
async function collect(
  follower: TopicFollower,
  starts: Record<number, number>,
  count: number,
): Promise<Chunk[]> {
  const next = new Map(Object.entries(starts).map(([partition, offset]) => [Number(partition), offset]))
  const chunks: Chunk[] = []
  for (let taken = 0; taken < count;) {
    const chunk = await follower.next()
    assert.ok(chunk !== undefined, 'the follower goes on')
    for (const offset of offsetsOf(chunk)) {
      assert.equal(offset, next.get(chunk.partition) ?? 0)
      next.set(chunk.partition, offset + 1)
      taken++
    }
    chunks.push(chunk)
  }
  return chunks
}

test('reads a partition in order, from the middle of a batch, and goes on as records come', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  fill(ports, topic, 0, 5, 3)
  const follower = follow(ports, topic, { 0: 4 })
  await collect(follower, { 0: 4 }, 11)
  const more = collect(follower, { 0: 15 }, 3)
  await eventually(() => assert.equal(ports.log.waitingCount, 1))
  fill(ports, topic, 0, 1, 3)
  await more
  follower.stop()
})

test('partitions take turns: none waits until another is read to its end', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 3)
  for (const partition of [0, 1, 2]) fill(ports, topic, partition, 30)
  const starts = { 0: 0, 1: 0, 2: 0 }
  const follower = follow(ports, topic, starts, { bytesMax: 300 })
  const chunks = await collect(follower, starts, 90)
  for (const partition of [0, 1, 2]) {
    assert.ok(
      chunks.slice(0, 6).some((chunk) => chunk.partition === partition),
      `partition ${partition} comes early`,
    )
  }
  assert.ok(chunks.length > 20)
  follower.stop()
})

test('one that has to catch up does not keep a partition at its end waiting', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 2)
  fill(ports, topic, 1, 200)
  const follower = follow(ports, topic, { 0: 0, 1: 0 }, { bytesMax: 200 })
  await collect(follower, { 0: 0, 1: 0 }, 20)
  fill(ports, topic, 0, 1)
  for (let chunkCount = 0; ; chunkCount++) {
    assert.ok(chunkCount < 10, 'the new record comes soon')
    if ((await follower.next())?.partition === 0) break
  }
  follower.stop()
})

test('reads nothing that nobody asked for', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  fill(ports, topic, 0, 100)
  const follower = follow(ports, topic, { 0: 0 }, { bytesMax: 200 })
  await follower.next()
  const readCount = ports.log.reads.length
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(ports.log.reads.length, readCount)
  follower.stop()
})

test('holds no more than its bound when many partitions wake for a consumer who is away', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 50)
  const starts = Object.fromEntries(topic.partitions.map(({ partition }) => [partition, 0]))
  const follower = follow(ports, topic, starts, { bytesMax: 300 })
  const first = follower.next()
  await eventually(() => assert.equal(ports.log.waitingCount, 50))
  for (const { partition } of topic.partitions) fill(ports, topic, partition, 1)
  await first
  const readsBefore = ports.log.reads.length
  let takenWithoutReading = 1
  while (ports.log.reads.length === readsBefore) {
    await follower.next()
    takenWithoutReading++
  }
  assert.ok(takenWithoutReading <= 5, `${takenWithoutReading} chunks lay ready`)
  await collectRest(follower, 50 - takenWithoutReading)
  follower.stop()
})

async function collectRest(follower: TopicFollower, count: number): Promise<void> {
  const seen = new Set<number>()
  for (let taken = 0; taken < count; taken++) seen.add((await follower.next())?.partition ?? -1)
  assert.equal(seen.size, count)
}

test('ends where it was told to, and never shows what came later', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 3)
  fill(ports, topic, 0, 4)
  fill(ports, topic, 1, 2)
  const ends = new Map([
    [0, 4],
    [1, 2],
    [2, 0],
  ])
  const follower = follow(ports, topic, { 0: 1, 1: 0, 2: 0 }, { ends })
  for (const partition of [0, 1, 2]) fill(ports, topic, partition, 3)
  const seen: string[] = []
  for (let chunk = await follower.next(); chunk !== undefined; chunk = await follower.next()) {
    for (const offset of offsetsOf(chunk)) seen.push(`${chunk.partition}@${offset}`)
  }
  assert.deepEqual(seen.toSorted(), ['0@1', '0@2', '0@3', '1@0', '1@1'])
})

test('waits out a lost leader with growing pauses and goes on at the next offset', async () => {
  const timers = new VirtualTimers()
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  fill(ports, topic, 0, 3)
  let failures = 7
  ports.log.beforeRead = () => {
    if (failures-- > 0) throw new SynodError(failures % 2 === 0 ? 'no-leader' : 'replica-behind', 'not now')
  }
  const follower = follow(ports, topic, { 0: 0 }, { timers })
  const reading = collect(follower, { 0: 0 }, 3)
  const pauses: number[] = []
  let waitedMs = 0
  while (ports.log.reads.length < 8) {
    const before = ports.log.reads.length
    await timers.advance(100)
    waitedMs += 100
    if (ports.log.reads.length === before) continue
    if (before > 0) pauses.push(waitedMs)
    waitedMs = 0
  }
  assert.deepEqual(pauses, [100, 200, 400, 800, 1_600, 2_000, 2_000].slice(0, pauses.length))
  assert.ok(pauses.length >= 6)
  await reading
  follower.stop()
})

test('one partition without a leader does not keep the others from being read', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 2)
  fill(ports, topic, 1, 10)
  ports.log.beforeRead = ({ partition }) => {
    if (partition === 0) throw new SynodError('no-leader', 'nobody')
  }
  const follower = follow(ports, topic, { 0: 0, 1: 0 }, { bytesMax: 200, timers: new VirtualTimers() })
  const chunks = await collect(follower, { 0: 0, 1: 0 }, 10)
  assert.ok(chunks.every(({ partition }) => partition === 1))
  follower.stop()
})

test('ends with an error that does not pass, after what was read before it', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 2)
  fill(ports, topic, 0, 1)
  ports.log.beforeRead = ({ partition }) => {
    if (partition === 1) throw new SynodError('topic-deleted', 'gone')
  }
  const follower = follow(ports, topic, { 0: 0, 1: 0 })
  assert.equal((await follower.next())?.partition, 0)
  await assert.rejects(follower.next(), { code: 'topic-deleted' })
  assert.equal(await follower.next(), undefined)
})

test('tells of a trimmed offset instead of skipping it', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  fill(ports, topic, 0, 10)
  ports.log.trim(topic, 0, 5)
  await assert.rejects(follow(ports, topic, { 0: 2 }).next(), {
    code: 'offset-trimmed',
    facts: { logStart: 5 },
  })
})

test('stops at once: a waiting read is ended and next answers that there is no more', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 20)
  const follower = follow(
    ports,
    topic,
    Object.fromEntries(topic.partitions.map(({ partition }) => [partition, 0])),
  )
  const waiting = follower.next()
  await eventually(() => assert.equal(ports.log.waitingCount, 20))
  follower.stop()
  assert.equal(await waiting, undefined)
  await eventually(() => assert.equal(ports.log.waitingCount, 0))
})

test('an idle follower costs one waiting read per partition', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t', 3)
  const follower = follow(ports, topic, { 0: 0, 1: 0, 2: 0 })
  const waiting = follower.next()
  await eventually(() => assert.equal(ports.log.waitingCount, 3))
  assert.equal(ports.log.reads.length, 6)
  follower.stop()
  await waiting
})

test('does not spin when reads come back empty without having waited', async () => {
  const timers = new VirtualTimers()
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  let readCount = 0
  const log: Log = {
    append: (request) => ports.log.append(request),
    leaderOf: () => undefined,
    resolve: (topic, partition, position) => ports.log.resolve(topic, partition, position),
    read: (_request: ReadRequest) => {
      readCount++
      return Promise.resolve({ batches: [], logStart: 0, highWatermark: 0 })
    },
  }
  const follower = follow({ log }, topic, { 0: 0 }, { timers })
  const waiting = follower.next()
  await timers.advance(1_000)
  assert.ok(readCount <= 11, `${readCount} reads in a second`)
  follower.stop()
  await waiting
})

test('notices partitions that are added and reads them from their first record', async () => {
  const timers = new VirtualTimers()
  const ports = fakePorts()
  const topic = ports.topics.add('t', 1)
  const follower = follow(ports, topic, { 0: 0 }, { timers, findTopic: (name) => ports.topics.find(name) })
  const first = follower.next()
  await eventually(() => assert.equal(ports.log.waitingCount, 1))
  const grown = await ports.topics.alter('t', { config: {}, partitions: 2 }, undefined)
  ports.log.put(grown, 1, [{ value: Buffer.from('early') }])
  await timers.advance(20_000)
  fill(ports, topic, 0, 1)
  assert.equal((await first)?.partition, 0)
  assert.deepEqual((await follower.next())?.partition, 1)
  follower.stop()
})

test('fails rather than leave out an offset', async () => {
  const ports = fakePorts()
  const topic = ports.topics.add('t')
  fill(ports, topic, 0, 3)
  ports.log.partition(topic, 0).batches.splice(1, 1)
  await assert.rejects(follow(ports, topic, { 0: 0 }).next(), { name: 'InvariantError' })
})
