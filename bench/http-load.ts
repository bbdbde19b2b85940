import { connect, type Socket } from 'node:net'

export interface HttpLoad {
  readonly url: string
  readonly body: Uint8Array
  readonly contentType: string
  /** Requests under way at any time, one a connection. */
  readonly inFlight: number
  readonly durationMs: number
}

export interface HttpLoadResult {
  readonly okCount: number
  readonly failedCount: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** The longest time in which no answer came. */
  readonly longestSilenceMs: number
}

/**
 * As many POSTs as a server takes, closed loop. It writes prepared bytes to plain sockets and only finds the end of each
 * answer, so that the load costs far less than what it measures.
 */
export async function httpLoad(load: HttpLoad): Promise<HttpLoadResult> {
  const { hostname, port } = new URL(load.url)
  const request = requestBytes(load)
  const latencies: number[] = []
  let [failedCount, longestSilenceMs] = [0, 0]
  const startMs = performance.now()
  const endMs = startMs + load.durationMs
  let lastMs = startMs
  const count = (status: number, latencyMs: number) => {
    const nowMs = performance.now()
    longestSilenceMs = Math.max(longestSilenceMs, nowMs - lastMs)
    lastMs = nowMs
    if (status === 201) latencies.push(latencyMs)
    else failedCount++
  }
  await Promise.all(
    Array.from({ length: load.inFlight }, () => oneConnection(Number(port), hostname, request, endMs, count)),
  )
  const elapsedMs = performance.now() - startMs
  latencies.sort((a, b) => a - b)
  return {
    okCount: latencies.length,
    failedCount,
    perSecond: (latencies.length / elapsedMs) * 1000,
    p50Ms: quantile(latencies, 0.5),
    p99Ms: quantile(latencies, 0.99),
    longestSilenceMs,
  }
}

/** A whole POST. */
export function requestBytes({
  url,
  body,
  contentType,
}: Pick<HttpLoad, 'url' | 'body' | 'contentType'>): Buffer {
  const { hostname, pathname, search } = new URL(url)
  const head = `POST ${pathname}${search} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: ${contentType}\r\ncontent-length: ${body.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), body])
}

/** Value below which the share `q` of the sorted values lies. */
export function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? NaN
}

function oneConnection(
  port: number,
  host: string,
  request: Buffer,
  endMs: number,
  count: (status: number, latencyMs: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, noDelay: true })
    let pending: Buffer = Buffer.alloc(0)
    let sentMs = 0
    const send = () => {
      if (performance.now() >= endMs) return socket.end(resolve)
      sentMs = performance.now()
      return socket.write(request)
    }
    socket.on('connect', send)
    socket.on('error', reject)
    socket.on('data', (data: Buffer) => {
      pending = pending.length === 0 ? data : Buffer.concat([pending, data])
      const answer = completeAnswer(pending)
      if (answer === undefined) return
      pending = pending.subarray(answer.byteLength)
      count(answer.status, performance.now() - sentMs)
      send()
    })
    endWithTimer(socket, endMs + 10_000)
  })
}

function endWithTimer(socket: Socket, atMs: number): void {
  const timer = setTimeout(
    () => socket.destroy(new Error('No answer within ten seconds.')),
    atMs - performance.now(),
  )
  socket.on('close', () => clearTimeout(timer))
}

/** The first answer, if all of it is there. */
export function completeAnswer(bytes: Buffer): { status: number; byteLength: number } | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const head = bytes.toString('latin1', 0, headEnd)
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`An answer without a content length: ${head}`)
  const byteLength = headEnd + 4 + Number(length)
  return bytes.length < byteLength ? undefined : { status: Number(head.slice(9, 12)), byteLength }
}
