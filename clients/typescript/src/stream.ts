import type { Brokers } from './brokers.ts'
import { isProblem, NoAnswer, SynodProblem } from './problem.ts'
import type { SynodRecord } from './records.ts'

export interface StreamRequest {
  /** From '/v1/…' on, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Until it begins. */
  readonly timeoutMs: number
  /** Ends the iteration. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The records of a stream of NDJSON, one after the other as they arrive; the broker is held back while the loop is busy. Throws
 * SynodProblem for what the broker says, in its last line too, and NoAnswer when the connection breaks.
 */
export async function* stream(
  brokers: Brokers,
  request: StreamRequest,
): AsyncGenerator<SynodRecord, void, void> {
  const response = await brokers.request({ ...request, method: 'GET', isRepeatable: true, bodyForm: 'stream' })
  if (response.body === null) return
  // Not every browser iterates over a body by itself.
  const reader = response.body.getReader()
  const onAbort = (): void => void reader.cancel().catch(() => undefined)
  request.signal?.addEventListener('abort', onAbort)
  try {
    for await (const line of lines(reader)) {
      if (request.signal?.aborted === true) return
      const said = JSON.parse(line) as SynodRecord | { readonly problem: unknown }
      if ('problem' in said && isProblem(said.problem)) throw new SynodProblem(said.problem)
      yield said as SynodRecord
    }
  } finally {
    request.signal?.removeEventListener('abort', onAbort)
    await reader.cancel().catch(() => undefined)
  }
}

interface ChunkReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
}

async function* lines(reader: ChunkReader): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder()
  // A long line comes in many pieces; they are joined once.
  let pieces: string[] = []
  for (;;) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw new NoAnswer('The stream broke.', { cause })
    })
    if (done) break
    const [rest = '', ...more] = decoder.decode(value, { stream: true }).split('\n')
    pieces.push(rest)
    for (const piece of more) {
      const line = pieces.join('')
      pieces = [piece]
      if (line !== '') yield line
    }
  }
  const last = pieces.join('') + decoder.decode()
  if (last !== '') yield last
}
