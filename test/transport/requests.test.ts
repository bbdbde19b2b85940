import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { OUTSTANDING_REQUESTS_MAX } from '../../src/transport/limits.ts'
import { PendingRequests } from '../../src/transport/pending-requests.ts'
import { PeerLost, PeerUnreachable, type PeerRequest } from '../../src/transport/transport.ts'
import { brokerId, groupId } from '../../src/types/ids.ts'
import { eventually } from '../support/eventually.ts'
import { introduce, peersAt, startBroker, type TestBroker } from '../support/http-cluster.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'

const TWO = brokerId(2)
const ECHO: PeerRequest = { kind: 'echo', group: groupId(9), body: Buffer.from('hello') }

async function pair(t: TestContext): Promise<readonly [TestBroker, TestBroker]> {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  two.handlers.onRequestDo = (from, request, { deadlineMs }) =>
    Promise.resolve(
      Buffer.from(
        JSON.stringify([
          from,
          request.kind,
          request.group,
          Buffer.from(request.body).toString(),
          deadlineMs > 0,
        ]),
      ),
    )
  introduce(one, two)
  return [one, two]
}

/** Waits for the lane, which is being opened. */
async function firstAnswer(one: TestBroker): Promise<string> {
  return eventually(async () =>
    Buffer.from(await one.transport.request(TWO, ECHO, { timeoutMs: 1_000 })).toString(),
  )
}

test('a request is answered', async (t) => {
  const [one] = await pair(t)
  assert.equal(await firstAnswer(one), '[1,"echo",9,"hello",true]')
})

test('the very first request waits for the lane that is being opened', async (t) => {
  // A busy machine may take longer to open a lane than a request waits for it; then another pair shows it.
  await eventually(async () => {
    const [one] = await pair(t)
    const answer = await one.transport.request(TWO, ECHO, { timeoutMs: 5_000 })
    assert.match(Buffer.from(answer).toString(), /echo/)
  })
})

test('many requests at once, large and small, each get their own answer', async (t) => {
  const [one, two] = await pair(t)
  await firstAnswer(one)
  two.handlers.onRequestDo = (_from, request) => Promise.resolve(request.body)
  const sizes = Array.from({ length: 300 }, (_, index) => (index % 10 === 0 ? 200_000 + index : index))
  const answers = await Promise.all(
    sizes.map((size) =>
      one.transport.request(TWO, { ...ECHO, body: Buffer.alloc(size, size) }, { timeoutMs: 5_000 }),
    ),
  )
  for (const [index, size] of sizes.entries())
    assert.ok(Buffer.alloc(size, size).equals(answers[index] ?? Buffer.alloc(1)))
})

test('a SynodError crosses whole, any other error as internal', async (t) => {
  const [one, two] = await pair(t)
  await firstAnswer(one)
  const error = new SynodError('no-leader', 'Nobody leads.', {
    hint: 'Ask 3.',
    facts: { leader: 3 },
    retryAfterMs: 50,
  })
  two.handlers.onRequestDo = () => Promise.reject(error)
  await assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 1_000 }), (got: unknown) => {
    assert.ok(got instanceof SynodError)
    const { code, message, hint, facts, retryAfterMs } = got
    assert.deepEqual(
      [code, message, hint, facts, retryAfterMs],
      ['no-leader', 'Nobody leads.', 'Ask 3.', { leader: 3 }, 50],
    )
    return true
  })
  two.handlers.onRequestDo = () => {
    throw new TypeError('secret internals')
  }
  await assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 1_000 }), (got: unknown) => {
    assert.ok(got instanceof SynodError)
    assert.equal(got.code, 'internal')
    assert.doesNotMatch(got.message, /secret internals/)
    return true
  })
})

test('a request to a broker that is no peer, or that is gone, certainly never left', async (t) => {
  const [one, two] = await pair(t)
  await assert.rejects(one.transport.request(brokerId(9), ECHO, { timeoutMs: 1_000 }), PeerUnreachable)
  await firstAnswer(one)
  await two.transport.stop()
  await eventually(() => assert.equal(one.handlers.refused.length, 1))
  await assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 5_000 }), PeerUnreachable)
})

test('a request to a peer that does not answer the dial waits 100 ms for the lane, not its whole time', async (t) => {
  const one = await startBroker(t, 1)
  const silent = await tcpProxy(t, one.transport.port, () => undefined)
  one.transport.setPeers(peersAt([[2, silent.port]]))
  const askedAtMs = performance.now()
  await assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 5_000 }), PeerUnreachable)
  const tookMs = performance.now() - askedAtMs
  assert.ok(tookMs >= 95 && tookMs < 600, `It took ${tookMs} ms.`)
})

test('a request whose lane breaks is lost, and the peer is told to stop', async (t) => {
  const [one, two] = await pair(t)
  const proxy = await tcpProxy(t, two.transport.port, (chunk) => chunk)
  one.transport.setPeers(peersAt([[2, proxy.port]]))
  await firstAnswer(one)
  let signal: AbortSignal | undefined
  two.handlers.onRequestDo = (_from, _request, options) => {
    signal = options.signal
    return new Promise(() => undefined)
  }
  const lost = assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 10_000 }), PeerLost)
  await eventually(() => assert.ok(signal !== undefined))
  proxy.breakConnections()
  await lost
  await eventually(() => assert.equal(signal?.aborted, true))
})

test('a request without an answer in time is lost, and its deadline reaches the peer', async (t) => {
  const [one, two] = await pair(t)
  await firstAnswer(one)
  let deadlineMs = 0
  let signal: AbortSignal | undefined
  two.handlers.onRequestDo = (_from, _request, options) => {
    deadlineMs = options.deadlineMs
    signal = options.signal
    return new Promise(() => undefined)
  }
  await assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 150 }), PeerLost)
  assert.ok(deadlineMs > 0 && deadlineMs <= 150)
  await eventually(() => assert.equal(signal?.aborted, true))
})

test('a cancelled request aborts the peer that runs it', async (t) => {
  const [one, two] = await pair(t)
  await firstAnswer(one)
  let signal: AbortSignal | undefined
  two.handlers.onRequestDo = (_from, _request, options) => {
    signal = options.signal
    return new Promise(() => undefined)
  }
  const controller = new AbortController()
  const lost = assert.rejects(
    one.transport.request(TWO, ECHO, { timeoutMs: 60_000, signal: controller.signal }),
    PeerLost,
  )
  await eventually(() => assert.ok(signal !== undefined))
  controller.abort()
  await lost
  await eventually(() => assert.match(String(signal?.reason), /cancelled/))
  await assert.rejects(
    one.transport.request(TWO, ECHO, { timeoutMs: 1_000, signal: controller.signal }),
    PeerUnreachable,
  )
})

test('stopping rejects what waits', async (t) => {
  const [one, two] = await pair(t)
  await firstAnswer(one)
  two.handlers.onRequestDo = () => new Promise(() => undefined)
  const waiting = assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 60_000 }), PeerLost)
  await eventually(() => assert.ok(two.transport.counters().lanes.fwd.framesIn >= 2))
  await one.transport.stop()
  await waiting
  await assert.rejects(one.transport.request(TWO, ECHO, { timeoutMs: 1_000 }), PeerUnreachable)
})

test('at most 10,000 requests to a peer wait for their answer; one more is overloaded', async () => {
  const pending = new PendingRequests({
    state: 'open',
    hasRoomFor: () => true,
    offer: (frame) => ({ frame }),
    withdraw: () => undefined,
  })
  const waiting = Array.from({ length: OUTSTANDING_REQUESTS_MAX }, () =>
    pending.send(ECHO, { timeoutMs: 60_000 }),
  )
  await assert.rejects(pending.send(ECHO, { timeoutMs: 60_000 }), (error) => {
    return error instanceof SynodError && error.code === 'overloaded'
  })
  pending.answered(1, Buffer.from('x'))
  await waiting[0]
  waiting.push(pending.send(ECHO, { timeoutMs: 60_000 }))
  pending.laneLost('The lane broke.')
  const outcomes = await Promise.allSettled(waiting)
  assert.equal(outcomes.filter((outcome) => outcome.status === 'rejected').length, OUTSTANDING_REQUESTS_MAX)
  assert.equal(pending.count, 0)
})

test('a full queue of requests is overloaded', async () => {
  const pending = new PendingRequests({
    state: 'open',
    hasRoomFor: () => false,
    offer: (frame) => ({ frame }),
    withdraw: () => undefined,
  })
  await assert.rejects(pending.send(ECHO, { timeoutMs: 1_000 }), SynodError)
})
