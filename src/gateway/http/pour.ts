import { setMaxListeners } from 'node:events'
import type { ServerResponse } from 'node:http'

import { SynodError } from '../../errors.ts'
import { toProblem, type Problem } from '../problem.ts'
import { drained } from '../reading/drained.ts'
import type { Chunk, TopicFollower } from '../reading/follow.ts'
import type { Timers } from '../reading/timers.ts'
import { READER_TURNS } from '../reading/turns.ts'
import type { RequestContext } from './context.ts'

/** Pieces of a chunk that wait to be written; beyond it the rest is not even encoded. */
const WAITING_BYTES_MAX = 1024 * 1024

export interface Pouring {
  readonly context: RequestContext
  readonly timers: Timers
  /** What is written for a chunk; asked for the next piece only when there is room for it. */
  readonly pieces: (chunk: Chunk) => Iterable<Buffer | string>
  /** What a stream that fails ends with. */
  readonly lastPiece: (problem: Problem) => string
  /** Written whenever nothing else was for so long. */
  readonly heartbeat?: { readonly text: string; readonly everyMs: number }
}

/** Writes what the follower reads as fast as the client takes it, until either ends. The head was sent before. */
export async function pour(
  follower: TopicFollower,
  response: ServerResponse,
  pouring: Pouring,
): Promise<void> {
  const { context } = pouring
  const stop = (): void => follower.stop()
  response.once('close', stop)
  response.on('error', stop)
  // Every stream listens here, so the usual limit of listeners does not mean a leak.
  setMaxListeners(0, context.closing)
  context.closing.addEventListener('abort', stop)
  const pulse = startPulse(response, pouring)
  try {
    for (let chunk = await follower.next(); chunk !== undefined; chunk = await follower.next()) {
      const readAtMs = performance.now()
      const turn = READER_TURNS.enter(chunk.byteLength)
      if (turn !== undefined) await turn
      if (response.destroyed) break
      await write(response, pouring.pieces(chunk))
      context.options.stages.fanOut(performance.now() - readAtMs)
      pulse.again()
    }
    if (context.closing.aborted) throw draining()
  } catch (error) {
    if (!(error instanceof SynodError))
      context.options.log.error({ error, requestId: context.requestId }, 'A stream failed')
    if (!response.destroyed)
      response.write(pouring.lastPiece(toProblem(error, context.requestId, context.path)))
  } finally {
    pulse.end()
    follower.stop()
    context.closing.removeEventListener('abort', stop)
    if (!response.destroyed) response.end()
  }
}

async function write(response: ServerResponse, pieces: Iterable<Buffer | string>): Promise<void> {
  response.cork()
  for (const piece of pieces) {
    response.write(piece)
    if (response.writableLength < WAITING_BYTES_MAX) continue
    response.uncork()
    if (response.writableNeedDrain) await drained(response)
    if (response.destroyed) return
    response.cork()
  }
  response.uncork()
  // Asked only now: newer versions of Node drain while they uncork.
  if (response.writableNeedDrain) await drained(response)
}

/** A client behind proxies takes silence for the end; one that does not read what it has is left alone. */
function startPulse(
  response: ServerResponse,
  { timers, heartbeat }: Pouring,
): { readonly again: () => void; readonly end: () => void } {
  if (heartbeat === undefined) return { again: () => undefined, end: () => undefined }
  const beat = (): void => {
    if (!response.destroyed && !response.writableNeedDrain) response.write(heartbeat.text)
    cancel = timers.after(heartbeat.everyMs, beat)
  }
  let cancel = timers.after(heartbeat.everyMs, beat)
  return {
    again: () => {
      cancel()
      cancel = timers.after(heartbeat.everyMs, beat)
    },
    end: () => cancel(),
  }
}

export function draining(): SynodError {
  return new SynodError('draining', 'This broker is about to stop.')
}
