import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { SynodError } from '../errors.ts'
import type { BrokerId } from '../types/ids.ts'
import { InvariantError } from '../types/invariant.ts'
import { Challenges } from './challenges.ts'
import { clusterKey, freshNonce, HEADER, isNonce, prove, sameProof } from './handshake.ts'
import { parseJson, readBody, RequestProblem } from './http-answers.ts'
import { brokerHeader } from './incoming-lanes.ts'
import { headerOf } from './lane-session.ts'
import { JSON_BODY_BYTES_MAX } from './limits.ts'
import { errorFromJson, errorToJson, isObject } from './request-codec.ts'
import {
  PeerLost,
  PeerUnreachable,
  type Formation,
  type Hello,
  type PeerAddress,
  type TransportHandlers,
} from './transport.ts'

export const HELLO_PATH = '/internal/v1/hello'
export const FORM_PATH = '/internal/v1/form'

const VOTERS_MAX = 7

export interface FormationOptions {
  /** Who asks. */
  readonly self: BrokerId
  readonly secret: Buffer | undefined
  readonly timeoutMs: number
}

/**
 * Asks the broker at an address who it is, before there is a cluster. Rejects with `PeerUnreachable` when there is no
 * answer, with an Error that says why when the answer cannot be believed or is a refusal.
 */
export async function askHello(address: PeerAddress, options: FormationOptions): Promise<Hello> {
  return (await exchangeHello(address, options)).hello
}

/**
 * Tells the broker at an address which cluster it belongs to. Two exchanges: hello gives a challenge that is good for
 * one formation, so that an old one cannot be told again. Rejects with `PeerUnreachable` when the formation was not
 * told, `PeerLost` when it may have been taken, `SynodError` when the broker refused it with one.
 */
export async function tellFormation(
  address: PeerAddress,
  formation: Formation,
  options: FormationOptions,
): Promise<void> {
  const { challenge } = await exchangeHello(address, options)
  const key = clusterKey(options.secret)
  const nonce = freshNonce()
  const body = JSON.stringify(formation)
  let reply: Reply
  try {
    reply = await post(address, FORM_PATH, options.timeoutMs, body, {
      [HEADER.FROM]: String(options.self),
      [HEADER.NONCE]: nonce,
      [HEADER.CHALLENGE]: challenge,
      [HEADER.PROOF]: prove(key, 'form', [options.self, nonce, challenge, body]),
    })
  } catch (error) {
    throw new PeerLost(`The formation may not have been taken: ${(error as Error).message}`, { cause: error })
  }
  if (!sameProof(reply.proof, prove(key, 'formed', [nonce, challenge, reply.status, reply.body]))) {
    throw refusal(address, reply)
  }
  if (reply.status === 200) return
  throw errorFromJson(JSON.parse(reply.body)) ?? refusal(address, reply)
}

/** The answering side of both exchanges. */
export class FormationEndpoints {
  readonly #key: Buffer
  readonly #handlers: Pick<TransportHandlers, 'onHello' | 'onForm'>
  readonly #challenges = new Challenges()

  constructor(secret: Buffer | undefined, handlers: Pick<TransportHandlers, 'onHello' | 'onForm'>) {
    this.#key = clusterKey(secret)
    this.#handlers = handlers
  }

  /** Errors: RequestProblem 400, 401. */
  hello(request: IncomingMessage, response: ServerResponse): void {
    const from = brokerHeader(request, HEADER.FROM)
    const nonce = headerOf(request, HEADER.NONCE)
    if (
      !isNonce(nonce) ||
      !sameProof(headerOf(request, HEADER.PROOF), prove(this.#key, 'hello', [from, nonce]))
    ) {
      throw notAuthenticated()
    }
    request.resume()
    const challenge = this.#challenges.issue()
    const body = JSON.stringify(this.#handlers.onHello(from))
    response.setHeader(HEADER.CHALLENGE, challenge)
    answer(response, 200, body, prove(this.#key, 'welcome', [nonce, challenge, body]))
  }

  /** Errors: RequestProblem 400, 401, 408, 413. */
  async form(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const from = brokerHeader(request, HEADER.FROM)
    const nonce = headerOf(request, HEADER.NONCE)
    const challenge = headerOf(request, HEADER.CHALLENGE) ?? ''
    const body = await readBody(request)
    const expected = prove(this.#key, 'form', [from, nonce ?? '', challenge, body.toString('utf8')])
    if (!isNonce(nonce) || !sameProof(headerOf(request, HEADER.PROOF), expected)) throw notAuthenticated()
    if (!this.#challenges.redeem(challenge)) {
      throw new RequestProblem(
        401,
        'Stale challenge',
        'The challenge was used, is too old, or is not from here.',
      )
    }
    const formation = formationFromJson(parseJson(body))
    const { status, text } = await this.#take(from, formation)
    answer(response, status, text, prove(this.#key, 'formed', [nonce, challenge, status, text]))
  }

  async #take(
    from: BrokerId,
    formation: Formation,
  ): Promise<{ readonly status: number; readonly text: string }> {
    try {
      await this.#handlers.onForm(from, formation)
      return { status: 200, text: '{}' }
    } catch (error) {
      if (error instanceof InvariantError) throw error
      const detail = error instanceof Error ? error.message : String(error)
      const told = error instanceof SynodError ? error : new SynodError('internal', detail)
      return { status: 409, text: JSON.stringify(errorToJson(told)) }
    }
  }
}

async function exchangeHello(
  address: PeerAddress,
  options: FormationOptions,
): Promise<{ readonly hello: Hello; readonly challenge: string }> {
  const key = clusterKey(options.secret)
  const nonce = freshNonce()
  const reply = await post(address, HELLO_PATH, options.timeoutMs, '', {
    [HEADER.FROM]: String(options.self),
    [HEADER.NONCE]: nonce,
    [HEADER.PROOF]: prove(key, 'hello', [options.self, nonce]),
  })
  const { challenge } = reply
  if (reply.status !== 200 || !isNonce(challenge)) throw refusal(address, reply)
  if (!sameProof(reply.proof, prove(key, 'welcome', [nonce, challenge, reply.body]))) {
    throw new Error(`The broker at ${address.host}:${address.port} does not prove the cluster secret.`)
  }
  return { hello: helloFromJson(JSON.parse(reply.body)), challenge }
}

interface Reply {
  readonly status: number
  readonly body: string
  readonly proof: string | undefined
  readonly challenge: string | undefined
}

/** Rejects with `PeerUnreachable` when there is no whole answer in time. */
function post(
  address: PeerAddress,
  path: string,
  timeoutMs: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const { host, port } = address
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host,
      port,
      path,
      method: 'POST',
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    const fail = (error: Error): void =>
      reject(
        new PeerUnreachable(`The broker at ${host}:${port} does not answer: ${error.message}`, {
          cause: error,
        }),
      )
    request.on('error', fail)
    request.on('response', (response) => {
      readBodyOf(response).then((text) => {
        resolve({
          status: response.statusCode ?? 0,
          body: text,
          proof: headerOf(response, HEADER.PROOF),
          challenge: headerOf(response, HEADER.CHALLENGE),
        })
      }, fail)
    })
    request.end(body)
  })
}

async function readBodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let byteLength = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    byteLength += chunk.length
    if (byteLength > JSON_BODY_BYTES_MAX) throw new Error('the answer is too large')
  }
  return Buffer.concat(chunks).toString('utf8')
}

function answer(response: ServerResponse, status: number, body: string, proof: string): void {
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    [HEADER.PROOF]: proof,
  }
  response.writeHead(status, headers).end(body)
}

function refusal(address: PeerAddress, reply: Reply): Error {
  const { host, port } = address
  if (reply.status === 401) return new Error(`The broker at ${host}:${port} has another cluster secret.`)
  return new Error(`The broker at ${host}:${port} answered ${reply.status}: ${reply.body.slice(0, 500)}`)
}

function notAuthenticated(): RequestProblem {
  return new RequestProblem(401, 'Not authenticated', 'The proof of the cluster secret does not fit.')
}

function helloFromJson(json: unknown): Hello {
  if (isObject(json)) {
    const { brokerId, storeId, clusterId, empty } = json
    const controllers = votersFromJson(json['controllers'])
    if (
      isBrokerId(brokerId) &&
      isStoreId(storeId) &&
      typeof clusterId === 'string' &&
      typeof empty === 'boolean'
    ) {
      const hello = { brokerId, storeId, clusterId, empty }
      return controllers === undefined ? hello : { ...hello, controllers }
    }
  }
  throw new Error('The broker answered hello with something else.')
}

/** Error: RequestProblem 400. */
function formationFromJson(json: unknown): Formation {
  const bad = (detail: string): RequestProblem => new RequestProblem(400, 'Malformed formation', detail)
  if (!isObject(json)) throw bad('A formation is an object.')
  const { clusterId, voters } = json
  if (typeof clusterId !== 'string' || clusterId.length === 0 || clusterId.length > 128) {
    throw bad("'clusterId' is a text of 1 to 128 characters.")
  }
  const checked = votersFromJson(voters)
  if (checked === undefined) {
    throw bad(
      `'voters' is a list of 1 to ${VOTERS_MAX} replicas: a broker id and a store id of 32 hex digits each.`,
    )
  }
  return { clusterId, voters: checked }
}

/** Undefined when it is no list of voters. */
function votersFromJson(json: unknown): Formation['voters'] | undefined {
  if (!Array.isArray(json) || json.length === 0 || json.length > VOTERS_MAX) return undefined
  const voters: Formation['voters'][number][] = []
  for (const voter of json as readonly unknown[]) {
    if (!isObject(voter) || !isBrokerId(voter['broker']) || !isStoreId(voter['store'])) return undefined
    voters.push({ broker: voter['broker'], store: voter['store'] })
  }
  return voters
}

function isBrokerId(value: unknown): value is BrokerId {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 0xffff
}

function isStoreId(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{32}$/.test(value)
}
