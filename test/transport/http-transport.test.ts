import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Message } from '../../src/paxos/messages.ts'
import { flushCode } from '../../src/transport/flush-reader.ts'
import { HttpTransport } from '../../src/transport/http-transport.ts'
import { LaneSession } from '../../src/transport/lane-session.ts'
import { QUEUE_BYTES_MAX } from '../../src/transport/limits.ts'
import { brokerId, groupId, slot } from '../../src/types/ids.ts'
import {
  arbitraryDigest,
  arbitraryHeartbeat,
  arbitraryMessage,
  comparable,
  MESSAGE_KINDS,
} from '../support/arbitrary-messages.ts'
import { eventually } from '../support/eventually.ts'
import { introduce, peersAt, startBroker, TEST_SECRET, type TestBroker } from '../support/http-cluster.ts'
import { SAMPLE_BALLOT, sampleAccept, sampleHeartbeat } from '../support/sample-messages.ts'
import { tcpProxy } from '../support/tcp-proxy.ts'

const ONE = brokerId(1)
const TWO = brokerId(2)
const GROUP = groupId(7)
const NACK = { kind: 'nack', promised: SAMPLE_BALLOT } as const

/** Short enough to be read in a failure, and in an order that does not depend on lanes. */
function digests(messages: readonly Message[]): string[] {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 8)
  return messages
    .map((message) => `${message.kind} ${digest(JSON.stringify(comparable(message)))}`)
    .toSorted()
}

let lastMarker = 1_000_000

/** Sends markers until one pair arrives, then forgets them: lanes keep their order, so nothing comes after the last. */
async function linked(from: TestBroker, to: TestBroker): Promise<void> {
  await eventually(async () => {
    const marker = slot(++lastMarker)
    from.transport.sendMessage(to.id, GROUP, { kind: 'learn', ballot: SAMPLE_BALLOT, commit: marker })
    from.transport.sendMessage(to.id, GROUP, {
      kind: 'accepted',
      ballot: SAMPLE_BALLOT,
      through: marker,
      commit: marker,
    })
    await eventually(
      () => {
        const kinds = to.handlers.messages
          .filter(
            ({ from: sender, message }) =>
              sender === from.id && 'commit' in message && message.commit === marker,
          )
          .map(({ message }) => message.kind)
        assert.deepEqual(kinds.toSorted(), ['accepted', 'learn'])
      },
      { timeoutMs: 200 },
    )
  })
  to.handlers.messages.length = 0
}

test('messages of every kind, heartbeats and digests arrive among three brokers as they were sent', async (t) => {
  const brokers = [await startBroker(t, 1), await startBroker(t, 2), await startBroker(t, 3)] as const
  introduce(...brokers)
  for (const from of brokers) {
    const sent = MESSAGE_KINDS.flatMap((kind) =>
      fc.sample(arbitraryMessage(kind), { numRuns: 3, seed: from.id }),
    )
    const heartbeat = fc.sample(arbitraryHeartbeat, { numRuns: 1, seed: 5 })[0]
    const digest = fc.sample(arbitraryDigest, { numRuns: 1, seed: 5 })[0]
    assert.ok(heartbeat !== undefined && digest !== undefined)
    for (const to of brokers) {
      if (to === from) continue
      to.handlers.messages.length = 0
      for (const message of sent) from.transport.sendMessage(to.id, GROUP, message)
      from.transport.sendHeartbeat(to.id, heartbeat)
      from.transport.sendDigest(to.id, digest)
      await eventually(() => {
        const got = to.handlers.messages.filter((received) => received.from === from.id)
        assert.equal(got.length, sent.length)
        assert.ok(got.every(({ group }) => group === GROUP))
        assert.deepEqual(digests(got.map(({ message }) => message)), digests(sent))
        const beats = to.handlers.heartbeats.filter((received) => received.from === from.id)
        assert.deepEqual(
          beats.map((received) => ({ ...received.heartbeat })),
          [{ ...heartbeat }],
        )
        const compared = to.handlers.digests.filter((received) => received.from === from.id)
        assert.deepEqual(
          compared.map((received) => comparable(received.digest)),
          [comparable(digest)],
        )
      })
    }
  }
  const { lanes, authenticationFailures, malformedFrames, damagedFrames } = brokers[0].transport.counters()
  assert.ok(lanes.ctl.framesOut > 0 && lanes.data.framesOut > 0 && lanes.bulk.framesOut > 0)
  assert.ok(lanes.ctl.framesIn > 0 && lanes.data.bytesIn > 0)
  assert.deepEqual([authenticationFailures, malformedFrames, damagedFrames], [0, 0, 0])
  assert.ok(brokers[1].handlers.heard.includes(ONE))
})

test('messages of one lane keep their order, also in large numbers', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  await linked(one, two)
  const count = 20_000
  for (let readId = 1; readId <= count; readId++) {
    one.transport.sendMessage(TWO, GROUP, { kind: 'readProbe', ballot: SAMPLE_BALLOT, readId })
  }
  const got = await eventually(() => {
    const probes = two.handlers.messages.flatMap(({ message }) =>
      message.kind === 'readProbe' ? [message.readId] : [],
    )
    assert.equal(probes.length, count)
    return probes
  })
  assert.deepEqual(
    got,
    got.toSorted((a, b) => a - b),
  )
})

test('a body of 40 MiB arrives whole', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  await linked(one, two)
  const body = randomBytes(40 * 1024 * 1024)
  one.transport.sendMessage(TWO, GROUP, sampleAccept(5, body))
  const message = await eventually(() => {
    assert.equal(two.handlers.messages.length, 1)
    return two.handlers.messages[0]?.message
  })
  assert.ok(message?.kind === 'accept' && body.equals(message.entries[0]?.body ?? Buffer.alloc(0)))
})

test('a message too large for a frame is counted, not sent', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  one.transport.sendMessage(TWO, GROUP, sampleAccept(5, Buffer.alloc(49 * 1024 * 1024)))
  assert.equal(one.transport.counters().oversizedFrames, 1)
  assert.match(one.warnings.join(), /too large/)
})

test('heartbeats pass while 100 MiB wait for a reader that does not read, and the queue keeps its bound', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  const proxy = await tcpProxy(t, two.transport.port, (chunk, { firstLine, bytesBefore }) =>
    firstLine.includes('lane=data') && bytesBefore > 2_000 ? undefined : chunk,
  )
  one.transport.setPeers(peersAt([[2, proxy.port]]))
  await linked(one, two)
  const before = process.memoryUsage().arrayBuffers
  for (let at = 1; at <= 100; at++) {
    one.transport.sendMessage(TWO, GROUP, sampleAccept(at, Buffer.alloc(1024 * 1024, at)))
    one.transport.sendHeartbeat(TWO, sampleHeartbeat(at))
    await new Promise((resolve) => setImmediate(resolve))
  }
  one.transport.sendHeartbeat(TWO, sampleHeartbeat(101))
  await eventually(() => assert.equal(two.handlers.heartbeats.at(-1)?.heartbeat.sequence, 101), {
    timeoutMs: 1_000,
  })
  const { lanes } = one.transport.counters()
  assert.ok(lanes.data.dropped >= 100 - QUEUE_BYTES_MAX.data / 2 ** 20 - 8, `dropped ${lanes.data.dropped}`)
  assert.equal(lanes.ctl.dropped, 0)
  assert.ok(process.memoryUsage().arrayBuffers - before < 110 * 2 ** 20)
})

test('a broker with another secret is refused, and nothing of it is delivered', async (t) => {
  const one = await startBroker(t, 1)
  const stranger = await startBroker(t, 2, { secret: randomBytes(32) })
  introduce(one, stranger)
  await eventually(() => {
    one.transport.sendMessage(TWO, GROUP, NACK)
    stranger.transport.sendMessage(ONE, GROUP, NACK)
    assert.ok(one.transport.counters().authenticationFailures >= 2)
    assert.ok(stranger.transport.counters().authenticationFailures >= 2)
  })
  for (const broker of [one, stranger]) {
    assert.deepEqual(broker.handlers.messages, [])
    assert.deepEqual(broker.handlers.heard, [])
    assert.equal(broker.warnings.filter((line) => line.includes('without proof')).length, 1)
  }
})

test('a broker of another cluster is refused until both are in the same one', async (t) => {
  let clusterId = 'cluster-b'
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2, { clusterId: () => clusterId })]
  introduce(one, two)
  await eventually(() => assert.match(one.warnings.join(), /This broker is in cluster 'cluster-b'/))
  assert.deepEqual(two.handlers.heard, [])
  clusterId = 'cluster-a'
  await linked(one, two)
  clusterId = 'cluster-c'
  two.handlers.messages.length = 0
  one.transport.sendMessage(TWO, GROUP, NACK)
  await eventually(() => assert.ok(one.transport.counters().lanesLost >= 1))
  assert.deepEqual(two.handlers.messages, [])
})

test('an address where another broker answers is refused', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  one.transport.setPeers(peersAt([[3, two.transport.port]]))
  await eventually(() => assert.match(one.warnings.join(), /This is broker 2, not 3/))
})

test('lanes are opened again after the peer restarts on the same port', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  await linked(one, two)
  const { port } = two.transport
  await two.transport.stop()
  await eventually(() => assert.equal(one.handlers.refused.length, 1))
  const again = await startBroker(t, 2, { port })
  again.transport.setPeers(peersAt([[1, one.transport.port]]))
  await linked(one, again)
  await linked(again, one)
})

test('a peer that is gone is told refused within 200 ms', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  await linked(one, two)
  await linked(two, one)
  const goneAtMs = performance.now()
  await two.transport.stop()
  const refused = await eventually(() => {
    assert.equal(one.handlers.refused.length, 1)
    return one.handlers.refused[0]
  })
  assert.equal(refused?.peer, TWO)
  const tookMs = refused.atMs - goneAtMs
  assert.ok(tookMs >= 50 && tookMs < 200, `It took ${tookMs} ms.`)
})

test('a lane on which a bit was flipped is closed, and nothing of that flush is delivered', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  let isTampering = false
  const proxy = await tcpProxy(t, two.transport.port, (chunk) => {
    if (!isTampering) return chunk
    const at = chunk.indexOf('payload')
    if (at < 0) return chunk
    const tampered = Buffer.from(chunk)
    tampered.writeUInt8(tampered.readUInt8(at) ^ 1, at)
    return tampered
  })
  one.transport.setPeers(peersAt([[2, proxy.port]]))
  await linked(one, two)
  isTampering = true
  one.transport.sendMessage(TWO, GROUP, sampleAccept(1, Buffer.from('payload')))
  await eventually(() => {
    assert.equal(two.transport.counters().authenticationFailures, 1)
    assert.ok(one.transport.counters().lanesLost >= 1)
  })
  assert.deepEqual(two.handlers.messages, [])
  isTampering = false
  await linked(one, two)
})

test('an authenticated peer that sends what is no frame loses its lane, and nobody else is troubled', async (t) => {
  const two = await startBroker(t, 2)
  let count = 0
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
      const frames = Buffer.from(bytes)
      const before = two.transport.counters()
      count++
      await new Promise<void>((resolve) => {
        const session = new LaneSession({
          lane: count % 4 === 0 ? 'fwd' : 'ctl',
          self: ONE,
          peer: TWO,
          address: { host: '127.0.0.1', port: two.transport.port },
          bootId: 'boot',
          clusterId: 'cluster-a',
          key: TEST_SECRET,
          onOpen: ({ sink }, { forward }) => {
            for (const [sequence, flush] of [Buffer.alloc(0), frames].entries()) {
              const header = Buffer.alloc(4)
              header.writeUInt32BE(flush.length)
              sink.write(Buffer.concat([header, flush, flushCode(forward, sequence, [flush])]))
            }
          },
          onFlush: () => undefined,
          onEnd: () => resolve(),
        })
        t.after(() => session.close({ kind: 'closed', detail: 'The test is over.' }))
      })
      const { malformedFrames, authenticationFailures } = two.transport.counters()
      assert.equal(malformedFrames, before.malformedFrames + 1)
      assert.equal(authenticationFailures, 0)
    }),
    { numRuns: 40 },
  )
  assert.deepEqual(two.handlers.messages, [])
  const one = await startBroker(t, 1)
  introduce(one, two)
  await linked(one, two)
})

test('lanes to a peer that fell silent without a word are opened anew', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  let isCut = false
  const proxy = await tcpProxy(t, two.transport.port, (chunk, { isOld }) =>
    isCut || isOld ? undefined : chunk,
  )
  one.transport.setPeers(peersAt([[2, proxy.port]]))
  await linked(one, two)
  isCut = true
  proxy.markOld()
  let sequence = 0
  await eventually(
    () => {
      one.transport.sendHeartbeat(TWO, sampleHeartbeat(++sequence))
      assert.match(one.warnings.join(), /Nothing was heard/)
    },
    { timeoutMs: 8_000 },
  )
  isCut = false
  await linked(one, two)
})

test('an entry whose body lacks its checksum is dropped and counted, and its lane stays', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  await linked(one, two)
  const accept = sampleAccept(1, Buffer.from('whole'))
  one.transport.sendMessage(TWO, GROUP, {
    ...accept,
    entries: accept.entries.map((entry) => ({ ...entry, crc: 1 })),
  })
  one.transport.sendMessage(TWO, GROUP, accept)
  await eventually(() => assert.equal(two.handlers.messages.length, 1))
  assert.equal(two.transport.counters().damagedFrames, 1)
  assert.equal(two.transport.counters().lanesLost, 0)
})

test('a removed peer is disconnected and not let in until it is a peer again', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  introduce(one, two)
  await linked(two, one)
  one.transport.setPeers(new Map())
  await eventually(() => assert.match(two.warnings.join(), /was removed from the cluster/))
  one.handlers.messages.length = 0
  two.transport.sendMessage(ONE, GROUP, NACK)
  one.transport.sendMessage(TWO, GROUP, NACK)
  introduce(one, two)
  await linked(two, one)
})

test('a broker that is no peer yet may speak if it knows the secret', async (t) => {
  const [one, two] = [await startBroker(t, 1), await startBroker(t, 2)]
  two.transport.setPeers(peersAt([[1, one.transport.port]]))
  await linked(two, one)
  assert.ok(one.handlers.heard.includes(TWO))
})

test('brokers on loopback may go without a secret, others and short secrets are refused at once', async (t) => {
  const [one, two] = [
    await startBroker(t, 1, { secret: undefined }),
    await startBroker(t, 2, { secret: undefined }),
  ]
  introduce(one, two)
  await linked(one, two)
  const options = {
    self: ONE,
    bootId: 'boot',
    clusterId: () => '',
    secret: undefined,
    bind: { host: '0.0.0.0', port: 0 },
    log: { info: () => undefined, warn: () => undefined },
  }
  assert.throws(() => new HttpTransport(options), /needs a cluster secret/)
  assert.throws(() => new HttpTransport({ ...options, secret: Buffer.alloc(31) }), /has 31 bytes/)
  assert.ok(new HttpTransport({ ...options, isInsecureAllowed: true }))
})

test('a port that is taken rejects the start', async (t) => {
  const one = await startBroker(t, 1)
  await assert.rejects(startBroker(t, 2, { port: one.transport.port }), /EADDRINUSE/)
})
