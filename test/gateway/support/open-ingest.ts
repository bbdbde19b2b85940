import { request } from 'node:http'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { TestContext } from 'node:test'

/** A line of the answer, as far as tests look at it. */
export interface IngestLine {
  readonly partition?: number
  readonly offset?: number
  readonly duplicate?: boolean
  readonly end?: boolean
  readonly accepted?: number
  readonly problem?: {
    readonly code: string
    readonly line?: number
    readonly accepted: number
    readonly sideEffects: string
    readonly retryable: boolean
    readonly detail: string
    readonly results?: readonly IngestLine[]
    readonly [fact: string]: unknown
  }
}

export interface OpenIngest {
  readonly request: ClientRequest
  readonly response: IncomingMessage
  /** What was answered so far. */
  readonly lines: IngestLine[]
  /** Sends text as it stands. */
  send(text: string): void
  /** Ends the body. */
  end(): void
  /** All lines, once the answer has ended. */
  readonly all: Promise<readonly IngestLine[]>
}

/** An ingest over a socket of its own: lines may be read while others are sent. Resolves with the head of the answer. */
export function openIngest(
  t: TestContext,
  url: string,
  options: { readonly headers?: Record<string, string>; readonly isPaused?: boolean } = {},
): Promise<OpenIngest> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson', ...options.headers },
      agent: false,
    })
    t.after(() => sent.destroy())
    sent.on('error', reject)
    sent.on('response', (response) => resolve(opened(sent, response, options.isPaused === true)))
    sent.flushHeaders()
  })
}

function opened(sent: ClientRequest, response: IncomingMessage, isPaused: boolean): OpenIngest {
  const lines: IngestLine[] = []
  let text = ''
  if (!isPaused)
    response.on('data', (chunk: Buffer) => {
      const parts = `${text}${chunk.toString()}`.split('\n')
      text = parts.pop() ?? ''
      for (const part of parts) lines.push(JSON.parse(part) as IngestLine)
    })
  const all = new Promise<readonly IngestLine[]>((done) => {
    response.once('close', () => done(lines))
    response.on('error', () => undefined)
  })
  return {
    request: sent,
    response,
    lines,
    send: (part) => void sent.write(part),
    end: () => void sent.end(),
    all,
  }
}
