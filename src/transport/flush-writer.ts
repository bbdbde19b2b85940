import type { OutgoingMessage } from 'node:http'
import { invariant } from '../types/invariant.ts'
import type { LaneCounters } from './counters.ts'
import { flushCode } from './flush-reader.ts'
import { FLUSH_BYTES, IN_FLIGHT_BYTES_MAX, STALL_MS_MAX } from './limits.ts'
import type { LaneQueue } from './lane-queue.ts'

/** Flushes up to this size are joined into one buffer: one write is cheaper than many small ones. */
const JOIN_BYTES_MAX = 64 * 1024

/**
 * Empties a lane's queue into one body of an HTTP exchange: once per turn of the event loop, all that was queued in it
 * as one flush with its code. Waits while the kernel takes nothing; the queue then fills up to its bound.
 */
export class FlushWriter {
  readonly #sink: OutgoingMessage
  readonly #key: Buffer
  readonly #queue: LaneQueue
  readonly #counters: LaneCounters
  readonly #onStalled: () => void
  #sequence = 0
  #inFlightBytes = 0
  #isScheduled = false
  #isClosed = false
  #stallTimer: NodeJS.Timeout | undefined

  constructor(options: {
    sink: OutgoingMessage
    key: Buffer
    queue: LaneQueue
    counters: LaneCounters
    /** The kernel took nothing for very long: close the lane. */
    onStalled: () => void
  }) {
    this.#sink = options.sink
    this.#key = options.key
    this.#queue = options.queue
    this.#counters = options.counters
    this.#onStalled = options.onStalled
  }

  /** To be called after something was queued. */
  wake(): void {
    if (this.#isScheduled || this.#isClosed || this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#isClosed || this.#queue.isEmpty) return
      this.#flush()
      if (!this.#queue.isEmpty) this.wake()
    })
  }

  /** A flush without frames: proves the key, or shows that this side lives. Skipped while the kernel takes nothing. */
  writeEmpty(): void {
    if (this.#isClosed || this.#inFlightBytes >= IN_FLIGHT_BYTES_MAX) return
    this.#write([], 0)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#stallTimer)
  }

  #flush(): void {
    const chunks: Buffer[] = []
    let byteLength = 0
    while (byteLength < FLUSH_BYTES && !this.#queue.isEmpty) {
      const frame = this.#queue.take()
      invariant(frame !== undefined, 'A queue that is not empty has a next frame.')
      for (const chunk of frame.chunks) chunks.push(chunk)
      byteLength += frame.byteLength
      this.#counters.framesOut++
    }
    this.#write(chunks, byteLength)
  }

  #write(chunks: readonly Buffer[], byteLength: number): void {
    const header = Buffer.allocUnsafe(4)
    header.writeUInt32BE(byteLength, 0)
    const total = header.length + byteLength + 32
    this.#inFlightBytes += total
    this.#counters.bytesOut += total
    this.#watchStall(total)
    const onTaken = (): void => this.#taken(total)
    if (total <= JOIN_BYTES_MAX) {
      const frames = Buffer.concat(chunks, byteLength)
      const code = flushCode(this.#key, this.#sequence++, [frames])
      this.#sink.write(Buffer.concat([header, frames, code], total), onTaken)
      return
    }
    const code = flushCode(this.#key, this.#sequence++, chunks)
    this.#sink.cork()
    for (const part of joinSmall([header, ...chunks])) this.#sink.write(part)
    this.#sink.write(code, onTaken)
    this.#sink.uncork()
  }

  #taken(byteLength: number): void {
    this.#inFlightBytes -= byteLength
    invariant(this.#inFlightBytes >= 0, 'The kernel takes what it was given, once.')
    clearTimeout(this.#stallTimer)
    this.#stallTimer = undefined
    if (this.#isClosed) return
    if (this.#inFlightBytes > 0) this.#watchStall(this.#inFlightBytes)
    if (!this.#queue.isEmpty) this.wake()
  }

  #watchStall(byteLength: number): void {
    this.#stallTimer ??= setTimeout(this.#onStalled, STALL_MS_MAX + byteLength / 100)
  }
}

/** Neighbouring small buffers become one; large ones stay as they are. */
function joinSmall(chunks: readonly Buffer[]): Buffer[] {
  const joined: Buffer[] = []
  let run: Buffer[] = []
  for (const chunk of chunks) {
    if (chunk.length < 4_096) {
      run.push(chunk)
      continue
    }
    if (run.length > 0) joined.push(Buffer.concat(run))
    run = []
    joined.push(chunk)
  }
  if (run.length > 0) joined.push(Buffer.concat(run))
  return joined
}
