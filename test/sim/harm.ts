import type { SimulatedBroker } from './node.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { TRACED } from './trace.ts'

/** What may become of one broker's disk in a run. */
export type Harm = 'none' | 'lie' | 'restore' | 'wipe'

/**
 * Spoils the disk of one broker, once: it loses the end of what it had confirmed, an old copy is put in its place, or it is
 * empty. What is lost is always known to so many others that a majority remembers it: with fewer, nobody could tell. Where voters
 * change it is known to all others, for any of them may be asked.
 */
export class Harming {
  private readonly scene: Scene
  private readonly random: Random
  private readonly victim: SimulatedBroker

  constructor(scene: Scene, random: Random, victim: SimulatedBroker) {
    this.scene = scene
    this.random = random
    this.victim = victim
    const { harm, faultPhaseMs } = scene.swarm
    if (harm === 'none') return
    const atMs = random.between(0.3, 0.7) * faultPhaseMs
    if (harm === 'restore') this.at(atMs * random.between(0.3, 0.9), () => this.copy())
    this.at(atMs, () => this.spoil(harm))
  }

  private at(ms: number, run: () => void): void {
    const { queue } = this.scene
    queue.after(ms, () => {
      if (!this.scene.isHealed) run()
    })
  }

  /** A copy is made of a broker that stands still. */
  private copy(): void {
    this.victim.crash()
    this.victim.disk.copy()
    this.restart()
  }

  private spoil(harm: Exclude<Harm, 'none'>): void {
    const { scene, victim } = this
    victim.crash()
    // It comes to rest before the next event.
    scene.stir()
    this.damage(harm).then(
      (isDamaged) => {
        const newStore =
          harm === 'wipe' && scene.mutant.keepsStoreId !== true ? victim.disk.storeId : undefined
        for (const group of isDamaged ? scene.groups : [])
          scene.oracles.of(group).truth.forgets(victim.id, newStore)
        scene.trace.note(TRACED.FAULT, 0, isDamaged ? 2 : 3, scene.queue.nowMs, () => {
          return `harm: ${harm} of broker ${victim.id}${isDamaged ? '' : ', which loses nothing'}`
        })
        this.restart()
      },
      (error: unknown) => scene.failed(error),
    )
  }

  private async damage(harm: Exclude<Harm, 'none'>): Promise<boolean> {
    const { victim, random, scene } = this
    const known = this.knownToMajority()
    if (harm === 'restore') return victim.disk.restore(known)
    if (harm === 'lie') return victim.disk.loseEnd(known - 1 - random.integer(3), random.chance(0.7))
    victim.disk.wipe(scene.mutant.keepsStoreId === true)
    return true
  }

  private restart(): void {
    this.scene.queue.after(this.random.exponential(100), () => this.victim.start())
  }

  /** The highest number of the victim's journal that so many know that no half of the other voters is without one of them. */
  private knownToMajority(): number {
    const { brokers, swarm } = this.scene
    const known: number[] = []
    for (const broker of brokers.values())
      if (broker !== this.victim) known.push(broker.sawOf(this.victim.disk.storeId))
    const isAnyAsked = swarm.reconfigureEveryMs !== Infinity
    const needed = isAnyAsked ? known.length : brokers.size - Math.floor(brokers.size / 2)
    return known.sort((a, b) => b - a)[needed - 1] ?? 0
  }
}
