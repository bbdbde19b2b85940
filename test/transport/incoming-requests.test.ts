import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LaneSession } from '../../src/transport/lane-session.ts'
import { IncomingRequests } from '../../src/transport/incoming-requests.ts'
import { flushCode } from '../../src/transport/flush-reader.ts'
import {
  encodeFrame,
  FRAME_TYPE,
  framesOf,
  type EncodedFrame,
  type ReceivedFrame,
} from '../../src/transport/frames.ts'
import { OUTSTANDING_REQUESTS_MAX, QUEUE_BYTES_MAX } from '../../src/transport/limits.ts'
import { QuietLog } from '../../src/transport/log.ts'
import { encodeCancel, encodeRequest } from '../../src/transport/request-codec.ts'
import { brokerId } from '../../src/types/ids.ts'
import { eventually } from '../support/eventually.ts'
import { startBroker, TEST_SECRET } from '../support/http-cluster.ts'

const SILENT = new QuietLog({ info: () => undefined, warn: () => undefined })

function requestFrame(id: number, deadlineMs = 60_000): EncodedFrame {
  return encodeFrame(1, FRAME_TYPE.REQUEST, (writer) =>
    encodeRequest(writer, { id, deadlineMs, kind: 'wait' }, Buffer.from('x')),
  )
}

function received(frame: EncodedFrame): ReceivedFrame {
  const [first] = framesOf(Buffer.concat(frame.chunks))
  assert.ok(first !== undefined)
  return first
}

test('a peer may have 10,000 requests running; one more is answered overloaded, and a cancelled one makes room', () => {
  const replies: ReceivedFrame[] = []
  let running = 0
  const requests = new IncomingRequests({
    from: brokerId(2),
    log: SILENT,
    reply: (frame) => replies.push(received(frame)),
    onRequest: () => {
      running++
      return new Promise(() => undefined)
    },
  })
  for (let id = 1; id <= OUTSTANDING_REQUESTS_MAX + 1; id++) requests.receive(received(requestFrame(id)))
  assert.equal(running, OUTSTANDING_REQUESTS_MAX)
  assert.deepEqual(
    replies.map(({ type }) => type),
    [FRAME_TYPE.ERROR],
  )
  assert.match(String(replies[0]?.payload), /overloaded/)
  requests.receive(received(encodeFrame(0, FRAME_TYPE.CANCEL, (writer) => encodeCancel(writer, 5))))
  requests.receive(received(requestFrame(OUTSTANDING_REQUESTS_MAX + 2)))
  assert.equal(running, OUTSTANDING_REQUESTS_MAX + 1)
  requests.close()
})

test('a deadline beyond what a timer can hold does not end the request at once', async () => {
  let signal: AbortSignal | undefined
  const requests = new IncomingRequests({
    from: brokerId(2),
    log: SILENT,
    reply: () => undefined,
    onRequest: (_from, _request, options) => {
      signal = options.signal
      return new Promise(() => undefined)
    },
  })
  requests.receive(received(requestFrame(1, 2 ** 32 - 1)))
  // The timer of an overflowing deadline would fire before this one.
  await new Promise((resolve) => setTimeout(resolve, 2))
  assert.equal(signal?.aborted, false)
  requests.close()
})

test('a request id that runs already is refused', () => {
  const requests = new IncomingRequests({
    from: brokerId(2),
    log: SILENT,
    reply: () => undefined,
    onRequest: () => new Promise(() => undefined),
  })
  requests.receive(received(requestFrame(1)))
  assert.throws(() => requests.receive(received(requestFrame(1))), /runs already/)
  requests.close()
})

test('answers that a peer does not read fill their queue, and beyond its bound the lane is closed', async (t) => {
  const two = await startBroker(t, 2)
  const answer = Buffer.alloc(QUEUE_BYTES_MAX.fwd / 2 - 1_000)
  let aborted = 0
  let served = 0
  two.handlers.onRequestDo = (_from, _request, { signal }) => {
    signal.addEventListener('abort', () => aborted++)
    return served++ < 4 ? Promise.resolve(answer) : new Promise(() => undefined)
  }
  const session = new LaneSession({
    lane: 'fwd',
    self: brokerId(1),
    peer: brokerId(2),
    address: { host: '127.0.0.1', port: two.transport.port },
    bootId: 'boot',
    clusterId: 'cluster-a',
    key: TEST_SECRET,
    onOpen: ({ sink }, { forward }) => {
      sink.socket?.pause()
      const requests = [1, 2, 3, 4, 5].map((id) => Buffer.concat(requestFrame(id).chunks))
      for (const [sequence, flush] of [
        Buffer.alloc(0),
        Buffer.concat([requests[4] ?? Buffer.alloc(0)].concat(requests.slice(0, 4))),
      ].entries()) {
        const header = Buffer.alloc(4)
        header.writeUInt32BE(flush.length)
        sink.write(Buffer.concat([header, flush, flushCode(forward, sequence, [flush])]))
      }
    },
    onFlush: () => undefined,
    onEnd: () => undefined,
  })
  await eventually(() => assert.equal(two.transport.counters().lanesLost, 1))
  await eventually(() => assert.ok(aborted >= 1))
  session.close({ kind: 'closed', detail: 'The test is over.' })
  await session.gone
})
