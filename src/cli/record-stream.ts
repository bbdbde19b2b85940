import { call, NoAnswerError } from './http.ts'
import type { CallOptions } from './http.ts'
import { CommandError } from './exit-codes.ts'
import { LineSource } from './line-source.ts'

/** The lines of a stream of records, in groups. Resolves when the broker has begun to answer. Errors: as `call`. */
export async function openLines(
  url: string,
  path: string,
  options: CallOptions,
): Promise<AsyncGenerator<readonly string[]>> {
  const response = await call(url, path, options)
  if (response.body === null) throw new NoAnswerError(url, new Error('the answer has no body'))
  return linesOf(response.body, url, options.signal)
}

async function* linesOf(
  body: AsyncIterable<Uint8Array>,
  url: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly string[]> {
  const source = new LineSource(body)
  for (;;) {
    let lines: readonly string[]
    try {
      lines = await source.take({ countMax: 1_000, bytesMax: 1024 * 1024 })
    } catch (error) {
      if (signal?.aborted === true || error instanceof CommandError) throw error
      throw new NoAnswerError(url, error)
    }
    if (lines.length === 0) return
    yield lines
  }
}
