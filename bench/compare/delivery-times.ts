import { Agent, request, type IncomingMessage } from 'node:http'
import { once } from 'node:events'
import { FrameSocket } from '../frame-socket.ts'
import { quantile } from '../http-load.ts'
import type { LoadResult, Work } from './system.ts'

/** One produce after the other; latencies run from its sending to its arrival in a WebSocket. */
export async function deliveryTimes(
  topicUrl: string,
  { bytes, seconds }: Pick<Work, 'bytes' | 'seconds'>,
): Promise<LoadResult> {
  let arrived = (): void => undefined
  const socketUrl = `${topicUrl}/subscribe?values=only&from=latest`
  const socket = new FrameSocket(socketUrl, undefined, () => arrived())
  await socket.opened
  const agent = new Agent({ keepAlive: true })
  const body = Buffer.alloc(bytes, 'x')
  const latencies: number[] = []
  let failed = 0
  const startMs = performance.now()
  while (performance.now() - startMs < seconds * 1000) {
    const beganMs = performance.now()
    const arrival = new Promise<number>((resolve) => (arrived = () => resolve(performance.now())))
    const status = await post(`${topicUrl}/records`, body, agent)
    if (status === 201) latencies.push((await arrival) - beganMs)
    else failed++
  }
  const took = (performance.now() - startMs) / 1000
  socket.end()
  agent.destroy()
  latencies.sort((a, b) => a - b)
  const [p50Ms, p99Ms] = [quantile(latencies, 0.5), quantile(latencies, 0.99)]
  return { ok: latencies.length, failed, seconds: took, p50Ms, p99Ms }
}

/** The status of the answer. */
async function post(url: string, body: Buffer, agent: Agent): Promise<number> {
  const headers = { 'content-type': 'text/plain', 'content-length': body.length }
  const sent = request(url, { method: 'POST', agent, headers }).end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer.statusCode ?? 0
}
