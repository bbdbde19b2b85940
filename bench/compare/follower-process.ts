/**
 * Reads along with many WebSockets: URL COUNT. Says a line of JSON when all are open, and for each line of its input what all of
 * them have got so far.
 */
import { createInterface } from 'node:readline'
import { FrameSocket } from '../frame-socket.ts'

const OPENING_AT_ONCE = 100

const [url, count] = process.argv.slice(2) as [string, string]
let delivered = 0
const say = (): void => console.log(JSON.stringify({ delivered }))
for (let left = Number(count); left > 0; left -= OPENING_AT_ONCE) {
  const sockets = Array.from(
    { length: Math.min(left, OPENING_AT_ONCE) },
    () => new FrameSocket(url, undefined, () => delivered++),
  )
  await Promise.all(sockets.map(({ opened }) => opened))
}
say()
createInterface(process.stdin)
  .on('line', say)
  .on('close', () => process.exit(0))
