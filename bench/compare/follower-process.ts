/**
 * Reads along with many WebSockets: URL COUNT [TOPIC BYTES]. With a topic they are sessions in their binary form, which take frames
 * of many records of so many bytes each. Says a line of JSON when all are open, and for each line of its input what all of them have
 * got so far.
 */
import { createInterface } from 'node:readline'
import { FrameSocket } from '../frame-socket.ts'
import { BINARY_SUBPROTOCOL, headerOf, sessionFrame, valueBytesOf } from './session-frames.ts'

const OPENING_AT_ONCE = 100

const [url, count, topic, bytes] = process.argv.slice(2) as [string, string, string?, string?]
let delivered = 0
const say = (): void => console.log(JSON.stringify({ delivered }))

function followSimply(): Promise<void> {
  return new FrameSocket(url, undefined, () => delivered++).opened
}

async function followBySession(): Promise<void> {
  const credit = { records: Number.MAX_SAFE_INTEGER, bytes: Number.MAX_SAFE_INTEGER }
  const subscribe = sessionFrame({ type: 'subscribe', id: 'a', sid: 'a', topic, from: 'latest', credit })
  await new Promise<void>((resolve, reject) => {
    const take = (payload: Buffer): void => {
      const valueBytes = valueBytesOf(payload)
      if (valueBytes > 0) delivered += valueBytes / Number(bytes)
      else if (headerOf(payload).type === 'subscribed') resolve()
      else if (headerOf(payload).type === 'error') reject(new Error(payload.toString()))
    }
    const socket = new FrameSocket(url, undefined, take, BINARY_SUBPROTOCOL)
    socket.opened.then(() => socket.write(subscribe), reject)
  })
}

for (let left = Number(count); left > 0; left -= OPENING_AT_ONCE)
  await Promise.all(
    Array.from(
      { length: Math.min(left, OPENING_AT_ONCE) },
      topic === undefined ? followSimply : followBySession,
    ),
  )
say()
createInterface(process.stdin)
  .on('line', say)
  .on('close', () => process.exit(0))
