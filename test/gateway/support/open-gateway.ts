import assert from 'node:assert/strict'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { TestContext } from 'node:test'

import { createGateway } from '../../../src/gateway/gateway.ts'
import type { Gateway } from '../../../src/gateway/gateway.ts'
import type { GatewayOptions } from '../../../src/gateway/options.ts'
import { fakePorts } from '../fakes.ts'
import type { FakePorts } from '../fakes.ts'
import { checkAgainstDocument } from './document-check.ts'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
  readonly text: string
  /** The body as JSON; fails the test if it is none. */
  json(): unknown
}

/** A problem, as far as tests look at it. */
export interface ProblemBody {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly hint: string
  readonly retryable: boolean
  readonly sideEffects: string
  readonly requestId: string
  readonly instance: string
  readonly [fact: string]: unknown
}

export interface OpenGateway {
  readonly gateway: Gateway
  readonly ports: FakePorts
  readonly port: number
  readonly url: string
  /** What was logged as an error. */
  readonly logged: Readonly<Record<string, unknown>>[]
  /** Every answer is checked against the API document. */
  call(
    method: string,
    path: string,
    more?: { readonly headers?: Record<string, string>; readonly body?: string | Uint8Array },
  ): Promise<Answer>
  /** The same for a call that is expected to fail with this code. */
  refused(
    code: string,
    method: string,
    path: string,
    more?: { readonly headers?: Record<string, string>; readonly body?: string | Uint8Array },
  ): Promise<ProblemBody>
}

/** A gateway on a free port over fakes, closed after the test. */
export async function openGateway(
  t: TestContext,
  options: Partial<GatewayOptions> = {},
  ports: FakePorts = fakePorts(),
): Promise<OpenGateway> {
  const logged: Readonly<Record<string, unknown>>[] = []
  const gateway = createGateway(ports, {
    version: '0.0.0-test',
    metrics: () => Promise.resolve('synod_up 1\n'),
    log: { info: () => undefined, warn: () => undefined, error: (fields) => void logged.push(fields) },
    ...options,
  })
  const { port } = await gateway.listen({ host: '127.0.0.1', port: 0 })
  t.after(() => gateway.close({ drainMs: 0 }))
  const url = `http://127.0.0.1:${port}`
  const call: OpenGateway['call'] = async (method, path, more = {}) => {
    const response = await fetch(`${url}${path}`, { method, redirect: 'manual', ...more })
    const bytes = Buffer.from(await response.arrayBuffer())
    const text = bytes.toString('utf8')
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      bytes,
      text,
      json: () => JSON.parse(text) as unknown,
    }
    checkAgainstDocument(method, path, answer)
    return answer
  }
  const refused: OpenGateway['refused'] = async (code, method, path, more) => {
    const answer = await call(method, path, more)
    const problem = answer.json() as ProblemBody
    assert.equal(problem.code, code, `${method} ${path} answers ${answer.text}`)
    assert.equal(problem.status, answer.status)
    return problem
  }
  return { gateway, ports, port, url, logged, call, refused }
}

/** A bare connection that collects what comes. */
export async function rawConnection(
  t: TestContext,
  port: number,
): Promise<{ readonly socket: Socket; received(): string; readonly closed: Promise<void> }> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  t.after(() => socket.destroy())
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return { socket, received: () => text, closed }
}
