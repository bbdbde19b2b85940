import assert from 'node:assert/strict'
import { once } from 'node:events'
import fc from 'fast-check'
import { WebSocket } from 'ws'
import { encodeBinary } from '../gateway/ws/binary-frames.ts'
import { SessionClient } from '../gateway/ws/session-client.ts'
import { startSubscribeServer, type SubscribeServer } from '../gateway/ws/subscribe-server.ts'
import { eventually } from '../support/eventually.ts'
import type { Random } from '../sim/random.ts'
import { ByteSource } from './byte-source.ts'
import { looseJson, spoilJson } from './json-source.ts'
import { asTestContext, type FuzzTarget } from './target.ts'

const PROTOCOLS = ['synod.v1.json', 'synod.v1.bin'] as const
const SIDS = ['a', 'b', 'c']
const TOPICS = ['t', 't', 'u', 'nowhere']
const FROMS = [
  'earliest',
  'latest',
  '0',
  '-3',
  '0@1',
  '5@0',
  'cursor:x',
  'time:2026-01-31T12:00:00Z',
  '99999',
]
/** Codes with which the broker ends a session whose client does not keep to the rules; 1005: the client had enough. */
const CLOSE_CODES = [1002, 1005, 1007, 1009, 4500, 4505, 4506]
const CREDIT_MAX = Number.MAX_SAFE_INTEGER

interface DrawnFrame {
  readonly frame: Record<string, unknown>
  readonly values: readonly Buffer[]
}

/** A frame as a client that means well would send it. */
function drawFrame(source: ByteSource, isBinary: boolean): DrawnFrame {
  const { random } = source
  const id = `${random.integer(1_000)}`
  const sid = random.pick(SIDS)
  const credit = { records: random.integer(20), bytes: random.integer(200) }
  const start = random.chance(0.7) ? { from: random.pick(FROMS) } : {}
  switch (random.integer(10)) {
    case 0:
    case 1:
    case 2:
      return plain({
        type: 'subscribe',
        id,
        sid,
        topic: random.pick(TOPICS),
        credit,
        ...start,
        ...partitions(random),
      })
    case 3:
    case 4:
      return plain({ type: 'credit', sid, ...credit })
    case 5:
    case 6:
      return drawProduce(source, id, isBinary)
    case 7:
      return plain({ type: 'seek', id, sid, ...start })
    case 8:
      return plain({ type: 'unsubscribe', id, sid })
    default:
      return plain({ type: 'ping', id })
  }
}

function plain(frame: Record<string, unknown>): DrawnFrame {
  return { frame, values: [] }
}

function partitions(random: Random): Record<string, unknown> {
  return random.chance(0.3) ? { partitions: [random.integer(3)] } : {}
}

function drawProduce(source: ByteSource, id: string, isBinary: boolean): DrawnFrame {
  const { random } = source
  const values: Buffer[] = []
  const records = Array.from({ length: 1 + random.integer(3) }, () => {
    const place: Record<string, unknown> = random.chance(0.3) ? { partition: random.integer(3) } : {}
    if (!isBinary) return random.chance(0.8) ? { text: 'x', ...place } : place
    const value = source.bytes(random.integer(20))
    values.push(value)
    return { size: value.length, form: 'bytes', ...place }
  })
  const producer = random.chance(0.3) ? { producer: { id: 'me', epoch: 0, seq: random.integer(4) } } : {}
  return { frame: { type: 'produce', id, topic: random.pick(TOPICS), records, ...producer }, values }
}

/** One message, as it was meant or changed: its JSON, its bytes, or where its header ends. */
function drawMessage(source: ByteSource, isBinary: boolean): Buffer | string {
  const { random } = source
  const { frame, values } = drawFrame(source, isBinary)
  const meant = random.chance(0.1) ? spoilJson(frame, random, 1) : frame
  const header = random.chance(0.2) ? looseJson(meant, random) : JSON.stringify(meant)
  if (!isBinary) return random.chance(0.05) ? source.spoil(Buffer.from(header)).toString('latin1') : header
  const message = encodeBinary(meant, values)
  return random.chance(0.07) ? source.spoil(message) : message
}

/** What holds of each session whatever its client sends: rules 1, 2 and 3 as far as they show from outside. */
function assertRules({ frames, faults }: SessionClient): void {
  assert.deepEqual(faults, [], 'Each frame is one of the documents.')
  assert.equal(frames[0]?.type, 'welcome')
  const next = new Map<string, number>()
  const begun = new Set<string>()
  for (const frame of frames) {
    if (frame.type === 'error') assert.notEqual(frame.problem.code, 'internal')
    if (frame.type === 'subscribed' || frame.type === 'reset') {
      begun.add(frame.sid)
      const positions = frame.type === 'subscribed' ? frame.positions : frame.resumeFrom
      for (const { partition, nextOffset } of positions) next.set(`${frame.sid} ${partition}`, nextOffset)
    }
    if (frame.type === 'end' || (frame.type === 'error' && frame.sid !== undefined))
      begun.delete(frame.sid ?? '')
    if (frame.type !== 'records') continue
    assert.ok(begun.has(frame.sid), 'No records before subscribed or after the end.')
    for (const { partition, offset } of frame.records) {
      const place: string = `${frame.sid} ${partition}`
      assert.equal(offset, next.get(place) ?? 0, 'No record is skipped or repeated.')
      next.set(place, offset + 1)
    }
  }
}

/** When the broker has taken all so far, or has had enough. */
async function answered({ socket, closed }: SessionClient, isBinary: boolean): Promise<void> {
  const ping = { type: 'ping', id: 'all so far' }
  const pong = new Promise<void>((resolve) => {
    const look = (data: Buffer): void => {
      if (!data.includes('all so far')) return
      socket.off('message', look)
      resolve()
    }
    socket.on('message', look)
  })
  socket.send(isBinary ? encodeBinary(ping) : JSON.stringify(ping), () => undefined)
  await Promise.race([pong, closed])
}

async function speak(server: SubscribeServer, source: ByteSource): Promise<void> {
  const protocol = source.random.pick(PROTOCOLS)
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/v1/ws`, [protocol])
  const client = new SessionClient(socket)
  await once(socket, 'open')
  const isBinary = protocol === 'synod.v1.bin'
  const count = 1 + source.random.integer(12)
  for (let turn = 0; turn < count; turn++) {
    const message = drawMessage(source, isBinary)
    socket.send(message, { binary: source.random.chance(0.99) === isBinary })
    if (source.random.chance(0.4)) await answered(client, isBinary)
  }
  if (source.random.chance(0.8)) await answered(client, isBinary)
  if (source.random.chance(0.2)) socket.terminate()
  else socket.close()
  const code = await client.closed
  assertRules(client)
  assert.ok(code === 1006 || CLOSE_CODES.includes(code), `The session was closed with ${code}.`)
}

/** Clients of sessions that mean well, badly or nothing: the rules hold for each, and nobody else notices. */
export const sessionTarget: FuzzTarget = {
  name: 'frames of WebSocket sessions with changed JSON and bytes',
  boundedCases: 400,
  async run({ cases, seed, scope }) {
    const server = await startSubscribeServer(asTestContext(scope))
    const topic = server.ports.topics.add('t', 2)
    server.ports.topics.add('u')
    for (let index = 0; index < 40; index++) server.ports.log.put(topic, index % 2, [{ value: `${index}` }])
    const quiet = new SessionClient(new WebSocket(`ws://127.0.0.1:${server.port}/v1/ws`))
    await once(quiet.socket, 'open')
    const credit = { records: CREDIT_MAX, bytes: CREDIT_MAX }
    quiet.send({ type: 'subscribe', id: 'q', sid: 'q', topic: 't', from: 'earliest', credit })
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.nat()), async (draw) => {
        await speak(server, new ByteSource(draw))
        assert.deepEqual(server.errors, [])
        // The fake remembers every read and append, and each of them its session.
        server.ports.log.reads.length = 0
        server.ports.log.appends.length = 0
      }),
      { numRuns: cases, seed },
    )
    await eventually(() => assert.equal(server.upgrade.count, 1, 'Only the quiet session is left.'))
    await eventually(() => assert.equal(server.budget.takenBytes, 0))
    await eventually(() => {
      for (const partition of [0, 1]) {
        const { highWatermark } = server.ports.log.partition(topic, partition)
        assert.deepEqual(quiet.offsets('q', partition), [...Array(highWatermark).keys()])
      }
    })
    quiet.socket.terminate()
  },
}
