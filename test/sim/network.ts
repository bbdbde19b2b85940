import type { EventQueue } from './event-queue.ts'
import type { Random } from './random.ts'
import type { Swarm } from './swarm.ts'

type NetworkSwarm = Pick<Swarm, 'delayMeanMs' | 'lossRate' | 'duplicateRate' | 'isOrdered' | 'heldRate'>

interface Held {
  readonly link: number
  readonly deliver: () => void
}

/** Broker numbers start at 1 and stay below this. */
const STRIDE = 16
/** Messages that one partition may hold back; more are lost. */
const HELD_MAX = 200

/**
 * Messages between brokers, by one-way links: they may be lost, repeated, overtaken, held back or cut off. A message is
 * checked against partitions when it leaves and when it arrives.
 */
export class Network {
  private readonly cutLinks = new Set<number>()
  private readonly clogUntilMs = new Map<number, number>()
  private readonly lastArrivalMs = new Map<number, number>()
  private held: Held[] = []
  private isHealed = false
  private readonly queue: EventQueue
  private readonly random: Random
  /** Apart, so that digests do not shift the other draws of a seed. */
  private readonly digests: Random
  private readonly swarm: NetworkSwarm

  constructor(queue: EventQueue, random: Random, swarm: NetworkSwarm) {
    this.queue = queue
    this.random = random
    this.digests = random.fork('digests')
    this.swarm = swarm
  }

  send(from: number, to: number, deliver: () => void): void {
    this.dispatch(from * STRIDE + to, deliver, this.random)
  }

  sendDigest(from: number, to: number, deliver: () => void): void {
    this.dispatch(from * STRIDE + to, deliver, this.digests)
  }

  private dispatch(link: number, deliver: () => void, random: Random): void {
    if (!this.isHealed && random.chance(this.swarm.lossRate)) return
    this.travel(link, deliver, random)
    if (!this.isHealed && random.chance(this.swarm.duplicateRate)) this.travel(link, deliver, random)
  }

  /** As `send`, for what a connection carries: never repeated, and lost only when the connection is. */
  sendOnce(from: number, to: number, deliver: () => void): void {
    if (this.isHealed || !this.random.chance(this.swarm.lossRate / 4))
      this.travel(from * STRIDE + to, deliver, this.random)
  }

  isCut(from: number, to: number): boolean {
    return this.cutLinks.has(from * STRIDE + to)
  }

  cut(from: number, to: number): void {
    this.cutLinks.add(from * STRIDE + to)
  }

  /** Ends every partition; what they held back is on its way again. */
  mend(): void {
    this.cutLinks.clear()
    const held = this.held
    this.held = []
    for (const { link, deliver } of held) this.travel(link, deliver)
  }

  clog(from: number, to: number, durationMs: number): void {
    this.clogUntilMs.set(from * STRIDE + to, this.queue.nowMs + durationMs)
  }

  /** From now on nothing is lost or repeated, and delays are short. */
  heal(): void {
    this.isHealed = true
    this.clogUntilMs.clear()
    this.mend()
  }

  private travel(link: number, deliver: () => void, random = this.random): void {
    const { nowMs } = this.queue
    const delayMs = random.exponential(
      this.isHealed ? Math.min(5, this.swarm.delayMeanMs) : this.swarm.delayMeanMs,
    )
    let arrivalMs = Math.max(nowMs + delayMs, this.clogUntilMs.get(link) ?? 0)
    if (this.swarm.isOrdered) {
      arrivalMs = Math.max(arrivalMs, this.lastArrivalMs.get(link) ?? 0)
      this.lastArrivalMs.set(link, arrivalMs)
    }
    this.queue.after(arrivalMs - nowMs, () => {
      if (!this.cutLinks.has(link)) deliver()
      else if (this.held.length < HELD_MAX && random.chance(this.swarm.heldRate))
        this.held.push({ link, deliver })
    })
  }
}
