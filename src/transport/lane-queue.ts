import { invariant } from '../types/invariant.ts'
import type { EncodedFrame } from './frames.ts'
import { FRAME_OVERHEAD_BYTES } from './limits.ts'

/** What is given up first when a queue is full: Accepts (the leader sends them again), then the rest, heartbeats never. */
export type FrameRank = 'accept' | 'ordinary' | 'heartbeat'

export interface OutgoingFrame extends EncodedFrame {
  readonly rank: FrameRank
  /** Called once, right before the bytes are handed to the socket: from then on the peer may get them. */
  readonly onLeave?: (() => void) | undefined
  /** Called once when the frame is given up: it certainly never left. */
  readonly onDropped?: (() => void) | undefined
}

/** A frame's place in a queue; `frame` is undefined once it was taken or dropped, so that its bytes are not held. */
export interface QueuePlace {
  readonly frame: OutgoingFrame | undefined
}

interface Place {
  frame: OutgoingFrame | undefined
}

/** Below this many places nothing is swept. */
const SWEEP_MIN = 64

/**
 * Frames that wait for their lane, in order and bounded by `bytesMax`. A full queue drops its oldest Accepts, then its
 * oldest other frames; a heartbeat is never dropped but replaced by a newer one.
 */
export class LaneQueue {
  readonly #bytesMax: number
  readonly #onDropped: () => void
  #places: Place[] = []
  /** Places before it are empty. */
  #head = 0
  /** The places of Accepts, in order. */
  #accepts: Place[] = []
  #acceptsHead = 0
  #heartbeat: Place | undefined
  #bytes = 0
  #count = 0

  constructor(bytesMax: number, onDropped: () => void) {
    invariant(bytesMax > 0, 'A queue holds something.')
    this.#bytesMax = bytesMax
    this.#onDropped = onDropped
  }

  /** What waits, each frame with its overhead. */
  get byteLength(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Whether a frame of this size finds room without anything being dropped. */
  hasRoomFor(byteLength: number): boolean {
    return this.#bytes + byteLength + FRAME_OVERHEAD_BYTES <= this.#bytesMax
  }

  offer(frame: OutgoingFrame): QueuePlace {
    if (frame.rank === 'heartbeat' && this.#heartbeat !== undefined) this.#empty(this.#heartbeat)
    const place: Place = { frame }
    this.#places.push(place)
    this.#bytes += frame.byteLength + FRAME_OVERHEAD_BYTES
    this.#count++
    if (frame.rank === 'accept') this.#accepts.push(place)
    if (frame.rank === 'heartbeat') this.#heartbeat = place
    // A single frame above the bound may wait alone: frames have a bound of their own.
    while (this.#bytes > this.#bytesMax && this.#dropOldestBut(place)) this.#sweep()
    return place
  }

  /** The next frame; its `onLeave` has been called. */
  take(): OutgoingFrame | undefined {
    this.#skipEmptyPlaces()
    const place = this.#places[this.#head]
    if (place === undefined) return undefined
    const frame = this.#empty(place)
    this.#sweep()
    frame.onLeave?.()
    return frame
  }

  /** Gives up one frame if it still waits. */
  withdraw(place: QueuePlace): void {
    if (place.frame === undefined) return
    this.#drop(place)
    this.#sweep()
  }

  /** Gives up all that waits, as when the lane broke. */
  clear(): void {
    const places = this.#places
    this.#places = []
    this.#head = 0
    this.#accepts = []
    this.#acceptsHead = 0
    for (const place of places) if (place.frame !== undefined) this.#drop(place)
    invariant(this.#bytes === 0 && this.#count === 0, 'A cleared queue is empty.')
  }

  /** False when nothing but `newest` and a heartbeat is left. */
  #dropOldestBut(newest: Place): boolean {
    for (; this.#acceptsHead < this.#accepts.length; this.#acceptsHead++) {
      const accept = this.#accepts[this.#acceptsHead]
      if (accept === newest) break
      if (accept?.frame === undefined) continue
      this.#drop(accept)
      return true
    }
    this.#skipEmptyPlaces()
    for (let index = this.#head; index < this.#places.length; index++) {
      const place = this.#places[index]
      if (place === newest || place?.frame === undefined || place.frame.rank === 'heartbeat') continue
      this.#drop(place)
      return true
    }
    return false
  }

  #drop(place: Place): void {
    const frame = this.#empty(place)
    this.#onDropped()
    frame.onDropped?.()
  }

  #empty(place: Place): OutgoingFrame {
    const { frame } = place
    invariant(frame !== undefined, 'A frame leaves its place once.')
    place.frame = undefined
    this.#bytes -= frame.byteLength + FRAME_OVERHEAD_BYTES
    this.#count--
    if (this.#heartbeat === place) this.#heartbeat = undefined
    return frame
  }

  #skipEmptyPlaces(): void {
    while (this.#head < this.#places.length && this.#places[this.#head]?.frame === undefined) this.#head++
  }

  /** Empty places are removed when they are the greater part. */
  #sweep(): void {
    if (this.#places.length < SWEEP_MIN || this.#places.length < this.#count * 2) return
    this.#places = this.#places.filter((place) => place.frame !== undefined)
    this.#head = 0
    this.#accepts = this.#accepts.filter((place) => place.frame !== undefined)
    this.#acceptsHead = 0
  }
}
