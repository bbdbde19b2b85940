import { WebSocket } from 'ws'
import { httpLoad } from './http-load.ts'

export interface FanOut {
  readonly topicUrl: string
  readonly subscriberCount: number
  readonly inFlight: number
  readonly durationMs: number
  readonly body: string
}

/** Produces while many WebSocket subscribers read along; counts frames that arrived, and those that should have. */
export async function fanOut(work: FanOut): Promise<{ deliveriesPerSecond: number; missing: number }> {
  let delivered = 0
  const sockets = await Promise.all(
    Array.from({ length: work.subscriberCount }, () => open(work.topicUrl, (count) => (delivered += count))),
  )
  const startMs = performance.now()
  const load = await httpLoad({
    url: `${work.topicUrl}/records`,
    body: Buffer.from(work.body),
    contentType: 'text/plain',
    inFlight: work.inFlight,
    durationMs: work.durationMs,
  })
  const due = load.okCount * work.subscriberCount
  for (let waitedMs = 0; delivered < due && waitedMs < 10_000; waitedMs += 20)
    await new Promise((done) => setTimeout(done, 20))
  const elapsedMs = performance.now() - startMs
  for (const socket of sockets) socket.terminate()
  return { deliveriesPerSecond: (delivered / elapsedMs) * 1000, missing: due - delivered }
}

function open(topicUrl: string, deliver: (count: number) => void): Promise<WebSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${topicUrl.replace('http', 'ws')}/subscribe?from=latest`)
    socket.on('open', () => resolve(socket))
    socket.on('error', reject)
    socket.on('message', () => deliver(1))
  })
}
