import { FrameSocket } from '../frame-socket.ts'
import { quantile } from '../http-load.ts'
import { BINARY_SUBPROTOCOL, headerOf, sessionFrame } from './session-frames.ts'
import type { LoadResult, Work } from './system.ts'

/** Produces on one socket, so many of them under way; who is answered sends the same again. */
export async function sessionLoad(topicUrl: string, work: Work): Promise<LoadResult> {
  const { origin, pathname } = new URL(topicUrl)
  const topic = pathname.split('/').at(-1)!
  const value = Buffer.alloc(work.bytes, 'x')
  const values = Array.from({ length: work.records }, () => value)
  const records = values.map(({ length: size }) => ({ form: 'text', size }))
  const frames = Array.from({ length: work.inFlight }, (_, id) =>
    sessionFrame({ type: 'produce', id: String(id), topic, records }, values),
  )
  const sentAtMs = frames.map(() => 0)
  const latencies: number[] = []
  let failed = 0
  let underWay = 0
  let allAnswered = (): void => undefined
  const answered = new Promise<void>((resolve) => (allAnswered = resolve))
  const startMs = performance.now()
  const send = (id: number): void => {
    sentAtMs[id] = performance.now()
    underWay++
    socket.write(frames[id]!)
  }
  const take = (payload: Buffer): void => {
    const { type, id } = headerOf(payload)
    if (id === undefined) return
    const nowMs = performance.now()
    underWay--
    if (type === 'produced') latencies.push(nowMs - sentAtMs[Number(id)]!)
    else failed++
    if (nowMs - startMs < work.seconds * 1000) send(Number(id))
    else if (underWay === 0) allAnswered()
  }
  const socket = new FrameSocket(`${origin}/v1/ws`, undefined, take, BINARY_SUBPROTOCOL)
  await socket.opened
  for (const id of frames.keys()) send(id)
  await answered
  const seconds = (performance.now() - startMs) / 1000
  socket.end()
  latencies.sort((a, b) => a - b)
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
  return { ok: latencies.length, failed, seconds, p50Ms, p99Ms }
}
