import { request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http'
import type { BrokerId } from '../types/ids.ts'
import { MalformedFrameError } from './byte-reader.ts'
import { FlushReader, ForgedFlushError } from './flush-reader.ts'
import {
  HEADER,
  LANE_PATH,
  PROTOCOL_VERSION,
  acceptanceProof,
  freshNonce,
  isNonce,
  openingProof,
  sameProof,
  sessionKeys,
  type Acceptance,
  type Opening,
  type SessionKeys,
} from './handshake.ts'
import { DIAL_TIMEOUT_MS, FLUSH_BYTES_MAX, type LaneName } from './limits.ts'
import type { PeerAddress } from './transport.ts'

/**
 * Why a session is over. `refused`: nobody listens there. `unreachable`: no answer in time, or no way. `rejected`: the
 * peer said no. `forged`: something is not from the peer. `malformed`: it does not speak our language. `lost`: it broke.
 */
export type SessionEndKind =
  'refused' | 'unreachable' | 'rejected' | 'forged' | 'malformed' | 'lost' | 'closed'

export interface SessionEnd {
  readonly kind: SessionEndKind
  /** One sentence for the log. */
  readonly detail: string
}

export interface SessionOptions {
  readonly lane: LaneName
  readonly self: BrokerId
  readonly peer: BrokerId
  readonly address: PeerAddress
  readonly bootId: string
  readonly clusterId: string
  readonly key: Buffer
  /** Both sides have proven the key; frames may be written into `sink`. */
  onOpen(session: LaneSession, keys: SessionKeys): void
  /** Verified frames of the peer, from the answer's body. */
  onFlush(flush: Buffer): void
  /** Called once, also for an attempt that failed and for `close`. */
  onEnd(end: SessionEnd): void
}

/** Answers that say no have a short reason; more of it is not read. */
const REASON_BYTES_MAX = 2_048

/** One attempt to open a lane, and the lane's life if it succeeds: one HTTP exchange whose two bodies stay open. */
export class LaneSession {
  readonly sink: ClientRequest
  readonly clusterId: string
  /** Resolves when the socket is gone. */
  readonly gone: Promise<void>
  readonly #options: SessionOptions
  readonly #opening: Opening
  readonly #dialTimer: NodeJS.Timeout
  #reader: FlushReader | undefined
  #hasEnded = false

  constructor(options: SessionOptions) {
    this.#options = options
    this.clusterId = options.clusterId
    const { lane, clusterId, self: from, peer: to, bootId } = options
    this.#opening = { lane, clusterId, from, to, bootId, nonce: freshNonce() }
    this.sink = httpRequest({
      host: options.address.host,
      port: options.address.port,
      method: 'POST',
      path: `${LANE_PATH}?lane=${lane}`,
      agent: false,
      headers: {
        'content-type': 'application/octet-stream',
        [HEADER.VERSION]: PROTOCOL_VERSION,
        [HEADER.FROM]: from,
        [HEADER.TO]: to,
        [HEADER.CLUSTER]: encodeURIComponent(clusterId),
        [HEADER.BOOT]: bootId,
        [HEADER.NONCE]: this.#opening.nonce,
        [HEADER.PROOF]: openingProof(options.key, this.#opening),
      },
    })
    this.sink.setNoDelay(true)
    this.sink.on('response', (response) => this.#onResponse(response))
    this.sink.on('error', (error: NodeJS.ErrnoException) => this.#onError(error))
    this.gone = new Promise((resolve) => {
      this.sink.once('close', () => {
        this.#end({ kind: 'lost', detail: 'The connection was closed.' })
        resolve()
      })
    })
    this.sink.flushHeaders()
    this.#dialTimer = setTimeout(() => {
      this.#end({ kind: 'unreachable', detail: `No answer within ${DIAL_TIMEOUT_MS} ms.` })
    }, DIAL_TIMEOUT_MS)
  }

  close(end: SessionEnd): void {
    this.#end(end)
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#hasEnded) return
    clearTimeout(this.#dialTimer)
    if (response.statusCode !== 200) return this.#onRejection(response)
    const acceptance = acceptanceOf(response)
    const { key } = this.#options
    const proof = headerOf(response, HEADER.PROOF)
    if (acceptance === undefined || !sameProof(proof, acceptanceProof(key, this.#opening, acceptance))) {
      return this.#end({ kind: 'forged', detail: 'The peer does not prove the cluster secret.' })
    }
    const keys = sessionKeys(key, this.#opening, acceptance)
    const reader = new FlushReader({
      key: keys.backward,
      bytesMax: FLUSH_BYTES_MAX,
      onFlush: (flush) => this.#options.onFlush(flush),
    })
    this.#reader = reader
    response.on('data', (chunk: Buffer) => this.#onData(reader, chunk))
    response.on('end', () => this.#end({ kind: 'lost', detail: 'The peer ended the lane.' }))
    response.on('error', (error) => this.#end({ kind: 'lost', detail: error.message }))
    this.#options.onOpen(this, keys)
  }

  #onData(reader: FlushReader, chunk: Buffer): void {
    try {
      reader.push(chunk)
    } catch (error) {
      if (error instanceof ForgedFlushError) return this.#end({ kind: 'forged', detail: error.message })
      if (error instanceof MalformedFrameError) return this.#end({ kind: 'malformed', detail: error.message })
      throw error
    }
  }

  #onRejection(response: IncomingMessage): void {
    const chunks: Buffer[] = []
    let byteLength = 0
    const finish = (): void => {
      const reason = Buffer.concat(chunks).subarray(0, REASON_BYTES_MAX).toString('utf8')
      this.#end({ kind: 'rejected', detail: reasonOf(reason) ?? `It answered ${response.statusCode}.` })
    }
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      byteLength += chunk.length
      if (byteLength >= REASON_BYTES_MAX) finish()
    })
    response.on('end', finish)
    response.on('error', finish)
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNREFUSED')
      return this.#end({ kind: 'refused', detail: 'The connection was refused.' })
    this.#end({ kind: this.#reader === undefined ? 'unreachable' : 'lost', detail: error.message })
  }

  #end(end: SessionEnd): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#dialTimer)
    this.#reader?.close()
    this.sink.destroy()
    this.#options.onEnd(end)
  }
}

export function headerOf(message: IncomingMessage, name: string): string | undefined {
  const value = message.headers[name]
  return typeof value === 'string' ? value : undefined
}

function acceptanceOf(response: IncomingMessage): Acceptance | undefined {
  const bootId = headerOf(response, HEADER.BOOT)
  const nonce = headerOf(response, HEADER.NONCE)
  return bootId === undefined || !isNonce(nonce) ? undefined : { bootId, nonce }
}

/** The sentence in a problem document. */
function reasonOf(body: string): string | undefined {
  try {
    const problem: unknown = JSON.parse(body)
    const detail =
      typeof problem === 'object' && problem !== null && 'detail' in problem ? problem.detail : undefined
    return typeof detail === 'string' ? detail : undefined
  } catch {
    return undefined
  }
}
