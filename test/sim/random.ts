import { invariant } from '../../src/types/invariant.ts'

/**
 * A seeded stream of numbers (mulberry32). All chance of a run comes from streams made of one seed, so that the seed is the
 * run. Parts that draw independently get a stream of their own by `fork`: a new draw in one does not shift the others.
 */
export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** Uniform in [0, 1). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let mixed = this.state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below)
  }

  /** Uniform in [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(choices: readonly T[]): T {
    invariant(choices.length > 0, 'There is something to pick from.')
    return choices[this.integer(choices.length)] as T
  }

  /** Exponential with this mean: what independent arrivals and queueing delays look like. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  /** A stream of its own, as a function of this one's state and the name. */
  fork(name: string): Random {
    let hash = this.state ^ 0x811c9dc5
    for (let index = 0; index < name.length; index++)
      hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
    return new Random(Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d))
  }
}
