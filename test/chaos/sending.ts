import { crc32 } from 'node:zlib'
import type { Random } from '../sim/random.ts'

/** What one try came to. */
export type Try =
  | { readonly kind: 'stored'; readonly partition: number; readonly offset: number | undefined }
  /** A broker answered with a problem; `isUnclear`: it may be stored all the same. */
  | { readonly kind: 'refused'; readonly isUnclear: boolean; readonly status: number; readonly code: string }
  /** Nobody answered; not unclear only if nobody can have heard it. */
  | { readonly kind: 'silence'; readonly isUnclear: boolean }

interface AnswerBody {
  readonly partition: number
  readonly offset?: number
  readonly code?: string
  readonly sideEffects?: 'none' | 'possible'
}

/** One request, one try: the body is the value of one record. */
export async function sendRecord(
  url: string,
  text: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<Try> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: text,
      headers: { 'content-type': 'text/plain', ...options.headers },
      signal: AbortSignal.timeout(options.timeoutMs),
    })
    const body = (await response.json()) as AnswerBody
    if (response.ok) return { kind: 'stored', partition: body.partition, offset: body.offset }
    const isUnclear = body.sideEffects !== 'none'
    return { kind: 'refused', isUnclear, status: response.status, code: String(body.code) }
  } catch (error) {
    return { kind: 'silence', isUnclear: !isRefusedConnection(error) }
  }
}

function isRefusedConnection(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}

/** Answers that no fault explains: the request was right. */
export function isUnexpected(status: number): boolean {
  return status < 503 && status !== 408 && status !== 429
}

/** A text that begins with its name; mostly short, now and then of many kilobytes. */
export function textOf(name: string, random: Random): string {
  const length = random.chance(0.9) ? random.integer(200) : random.integer(20_000)
  return `${name} ${'synod '.repeat(length / 6)}`
}

/** How a history calls it: its name, and a checksum so that damage of any byte makes it another value. */
export function valueOf(text: string): string {
  const [name = ''] = text.split(' ', 1)
  return `${name}#${crc32(text).toString(16)}`
}
