import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { SynodError } from '../../src/errors.ts'
import { PeerLost, PeerUnreachable, type PeerRequest } from '../../src/transport/transport.ts'
import { brokerId, groupId } from '../../src/types/ids.ts'
import { eventually } from './eventually.ts'
import { peersAt, RecordingHandlers } from './http-cluster.ts'
import { MemoryNetwork, type MemoryTransport } from './memory-transport.ts'
import { sampleAccept, sampleHeartbeat } from './sample-messages.ts'

const ONE = brokerId(1)
const TWO = brokerId(2)
const GROUP = groupId(1)
const ASK: PeerRequest = { kind: 'ask', group: GROUP, body: Buffer.from('x') }

interface Pair {
  readonly network: MemoryNetwork
  readonly one: MemoryTransport
  readonly two: MemoryTransport
  readonly handlersOne: RecordingHandlers
  readonly handlersTwo: RecordingHandlers
}

async function pair(): Promise<Pair> {
  const network = new MemoryNetwork()
  const [one, two] = [network.transport(ONE), network.transport(TWO)]
  const [handlersOne, handlersTwo] = [new RecordingHandlers(), new RecordingHandlers()]
  for (const transport of [one, two])
    transport.setPeers(
      peersAt([
        [1, 1],
        [2, 2],
      ]),
    )
  await one.start(handlersOne)
  await two.start(handlersTwo)
  return { network, one, two, handlersOne, handlersTwo }
}

test('messages and heartbeats pass in a later turn, unless the link is cut', async () => {
  const { network, one, two, handlersOne, handlersTwo } = await pair()
  one.sendMessage(TWO, GROUP, sampleAccept(1, Buffer.from('a')))
  one.sendHeartbeat(TWO, sampleHeartbeat(1))
  assert.equal(handlersTwo.messages.length, 0)
  await eventually(() =>
    assert.deepEqual([handlersTwo.messages.length, handlersTwo.heartbeats.length], [1, 1]),
  )
  network.cut(ONE, TWO, { oneWay: true })
  one.sendMessage(TWO, GROUP, sampleAccept(2, Buffer.from('b')))
  two.sendMessage(ONE, GROUP, sampleAccept(3, Buffer.from('c')))
  await eventually(() => assert.equal(handlersOne.messages.length, 1))
  assert.equal(handlersTwo.messages.length, 1)
  network.healAll()
  one.sendMessage(TWO, GROUP, sampleAccept(4, Buffer.from('d')))
  await eventually(() => assert.equal(handlersTwo.messages.length, 2))
})

test('a broker that was a peer and is none any more is not let in until it is one again', async () => {
  const { one, two, handlersOne } = await pair()
  one.setPeers(new Map())
  two.sendMessage(ONE, GROUP, sampleAccept(1, Buffer.from('a')))
  await assert.rejects(two.request(ONE, ASK, { timeoutMs: 1_000 }), PeerUnreachable)
  // What was sent arrives in the next turn, or never.
  await nextTurn()
  assert.equal(handlersOne.messages.length, 0)
  one.setPeers(peersAt([[2, 2]]))
  two.sendMessage(ONE, GROUP, sampleAccept(2, Buffer.from('b')))
  await eventually(() => assert.equal(handlersOne.messages.length, 1))
})

test('requests are answered, refused with the error, unreachable over a cut, lost when cut on the way or too late', async () => {
  const { network, one, handlersTwo } = await pair()
  handlersTwo.onRequestDo = (_from, request) => Promise.resolve(request.body)
  assert.equal(Buffer.from(await one.request(TWO, ASK, { timeoutMs: 1_000 })).toString(), 'x')
  handlersTwo.onRequestDo = () => Promise.reject(new SynodError('no-leader', 'Nobody leads.'))
  await assert.rejects(one.request(TWO, ASK, { timeoutMs: 1_000 }), SynodError)
  handlersTwo.onRequestDo = () => new Promise(() => undefined)
  await assert.rejects(one.request(TWO, ASK, { timeoutMs: 10 }), PeerLost)
  const lost = assert.rejects(one.request(TWO, ASK, { timeoutMs: 60_000 }), PeerLost)
  network.cut(ONE, TWO)
  await lost
  await assert.rejects(one.request(TWO, ASK, { timeoutMs: 1_000 }), PeerUnreachable)
})

test('a transport that stops is refused to its peers, and loses what waited', async () => {
  const { one, two, handlersOne, handlersTwo } = await pair()
  handlersTwo.onRequestDo = () => new Promise(() => undefined)
  const lost = assert.rejects(one.request(TWO, ASK, { timeoutMs: 60_000 }), PeerLost)
  await two.stop()
  await lost
  await eventually(() =>
    assert.deepEqual(
      handlersOne.refused.map(({ peer }) => peer),
      [TWO],
    ),
  )
})
