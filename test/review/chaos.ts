import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { PROBLEMS } from '../../src/gateway/problem.ts'
import { brokerId } from '../../src/types/ids.ts'
import type { Idempotency } from '../../src/types/record.ts'
import type { Topic } from '../../src/types/topic.ts'
import { TestCluster, textRecord } from '../support/cluster.ts'

interface Sent {
  readonly broker: number
  readonly value: string
  readonly isIdempotent: boolean
  /** Undefined while it is open. */
  outcome:
    | { readonly offset: number | undefined }
    | { readonly code: string; readonly isCertainNo: boolean }
    | undefined
}

/** Whoever asked a broker that was killed learns nothing. */
const KILLED = { code: 'killed', isCertainNo: false }

const STEPS = 60
const APPENDS_PER_STEP = 3

/** Producers on every broker of a cluster whose brokers are killed, cut off and slowed down; then what was said is checked. */
export async function chaos(
  t: TestContext,
  seed: number,
): Promise<{ readonly stored: number; readonly unknown: number }> {
  const next = randomOf(seed)
  const cluster = await TestCluster.start(t, {
    tuning: { indexDelayMs: [5, 50, 2_000][seed % 3]! },
    config: { produceTimeoutMs: 2_000 },
  })
  const topic = await cluster.topic()
  const sent: Sent[] = []
  for (let step = 0; step < STEPS; step++) {
    for (let count = 0; count < APPENDS_PER_STEP; count++) {
      const at = pick(cluster, next)
      if (at !== undefined) void send(cluster, topic, { at, sent, next })
    }
    change(cluster, next)
    await fault(cluster, sent, next)
    await cluster.pass(5 + Math.floor(next() * 120))
  }
  await heal(cluster)
  await cluster.until(
    () =>
      assert.ok(
        sent.every(({ outcome }) => outcome !== undefined),
        'Some are still open.',
      ),
    {
      withinMs: 60_000,
    },
  )
  return await check(cluster, topic, sent)
}

function randomOf(seed: number): () => number {
  let state = seed * 7919 + 17
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

function pick(cluster: TestCluster, next: () => number): number | undefined {
  const ready = cluster.brokers.filter((broker) => broker.isReady)
  return ready.length === 0 ? undefined : Number(ready[Math.floor(next() * ready.length)]!.id)
}

async function send(
  cluster: TestCluster,
  topic: Topic,
  { at, sent, next }: { readonly at: number; readonly sent: Sent[]; readonly next: () => number },
): Promise<void> {
  const value = `v${sent.length}`
  const isIdempotent = next() < 0.5
  const one: Sent = { broker: at, value, isIdempotent, outcome: undefined }
  sent.push(one)
  const idempotency: Idempotency | undefined = isIdempotent
    ? { kind: 'key', key: value, fingerprint: new Uint8Array(32).fill(1) }
    : undefined
  const acks = next() < 0.3 ? 'all' : 'majority'
  try {
    const { baseOffset } = await cluster.append(at, topic, value, { idempotency, acks })
    one.outcome ??= { offset: baseOffset }
  } catch (error) {
    assert.ok(error instanceof SynodError, String(error))
    one.outcome ??= { code: error.code, isCertainNo: PROBLEMS[error.code].sideEffects === 'none' }
  }
}

/** Other topics come and go meanwhile. What becomes of a change shows in that every broker can start again. */
function change(cluster: TestCluster, next: () => number): void {
  const at = pick(cluster, next)
  if (at === undefined || next() < 0.6) return
  const name = `other-${Math.floor(next() * 3)}`
  const { directory } = cluster.services(at)
  const spec = { partitions: 2, replicationFactor: undefined, config: {} }
  const changing: Promise<unknown> =
    next() < 0.5 ? directory.create(name, spec) : directory.delete(name, undefined)
  changing.catch((error: unknown) => assert.ok(error instanceof SynodError, String(error)))
}

/** Never more than one broker is down, so that the cluster goes on. */
async function fault(cluster: TestCluster, sent: readonly Sent[], next: () => number): Promise<void> {
  const kind = next()
  const id = cluster.ids[Math.floor(next() * cluster.ids.length)]!
  const isUp = cluster.brokers.some((broker) => Number(broker.id) === id)
  if (kind < 0.12) {
    if (isUp && cluster.brokers.length === cluster.ids.length) {
      await cluster.kill(id)
      for (const one of sent) if (one.broker === id) one.outcome ??= KILLED
    }
  } else if (kind < 0.16) {
    // A stop waits for the disk.
    cluster.disk(id).journal.resume()
    if (isUp && cluster.brokers.length === cluster.ids.length) await cluster.stop(id)
  } else if (kind < 0.3) {
    for (const down of cluster.ids) {
      if (cluster.brokers.some((broker) => Number(broker.id) === down)) continue
      await cluster.open(down)
    }
  } else if (kind < 0.4) cluster.isolate(id)
  else if (kind < 0.48) {
    const other = cluster.ids[Math.floor(next() * cluster.ids.length)]!
    if (other !== id) cluster.network.cut(brokerId(id), brokerId(other), { oneWay: next() < 0.5 })
  } else if (kind < 0.62) cluster.network.healAll()
  else if (kind < 0.76) cluster.disk(id).journal.pause()
  else if (kind < 0.86) for (const each of cluster.ids) cluster.disk(each).journal.resume()
  else {
    // A disk that gets through one batch, and hangs again.
    cluster.disk(id).journal.resume()
    cluster.disk(id).journal.pause()
  }
}

async function heal(cluster: TestCluster): Promise<void> {
  cluster.network.healAll()
  for (const id of cluster.ids) cluster.disk(id).journal.resume()
  for (const id of cluster.ids) {
    if (!cluster.brokers.some((broker) => Number(broker.id) === id)) await cluster.open(id)
  }
  await cluster.allReady()
}

async function check(
  cluster: TestCluster,
  topic: Topic,
  sent: readonly Sent[],
): Promise<{ readonly stored: number; readonly unknown: number }> {
  const { group } = topic.partitions[0]!
  // What was open is decided before anything that is appended now.
  const end = {
    records: [textRecord('end')],
    topic,
    partition: 0,
    expectedOffset: undefined,
    acks: 'majority' as const,
  }
  const key = { kind: 'key' as const, key: 'end', fingerprint: new Uint8Array(32) }
  const { baseOffset } = await cluster.finish(cluster.services(1).log.append({ ...end, idempotency: key }))
  await cluster.until(() => {
    const marks = cluster.brokers.map((broker) => broker.partition(group)!.highWatermark)
    assert.deepEqual(
      marks,
      cluster.ids.map(() => (baseOffset ?? 0) + 1),
    )
  })
  const logs: (readonly string[])[] = []
  for (const id of cluster.ids) logs.push(await readWhole(cluster, id, topic))
  for (const log of logs) assert.deepEqual(log, logs[0])
  const log = logs[0]!
  for (const { value, outcome } of sent) {
    const places = log.flatMap((each, offset) => (each === value ? [offset] : []))
    assert.ok(places.length <= 1, `${value} is stored ${places.length} times: ${places.join(' ')}.`)
    assert.ok(outcome !== undefined, `${value} was never answered.`)
    if ('offset' in outcome) assert.deepEqual(places, [outcome.offset], `${value} was acknowledged.`)
    else if (outcome.isCertainNo) assert.deepEqual(places, [], `${value} was refused as ${outcome.code}.`)
  }
  const unknown = sent.filter(
    ({ outcome }) => outcome !== undefined && 'code' in outcome && !outcome.isCertainNo,
  )
  return { stored: log.length, unknown: unknown.length }
}

async function readWhole(cluster: TestCluster, id: number, topic: Topic): Promise<readonly string[]> {
  const all: string[] = []
  for (;;) {
    const part = await cluster.finish(cluster.read(id, topic, { fromOffset: all.length }))
    if (part.length === 0) return all
    all.push(...part)
  }
}
