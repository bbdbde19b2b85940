import type { BrokerId } from '../../src/types/ids.ts'
import type { SimulatedBroker } from './node.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { TRACED } from './trace.ts'

/** Lets faults happen at random times until the run is healed. */
export class Faults {
  private readonly scene: Scene
  private readonly random: Random
  /** Apart, so that transfers do not shift the other draws of a seed. */
  private readonly transfers: Random
  private readonly trims: Random
  private readonly ids: readonly BrokerId[]

  constructor(scene: Scene, random: Random) {
    this.scene = scene
    this.random = random
    this.transfers = random.fork('transfers')
    this.trims = random.fork('trims')
    this.ids = [...scene.brokers.keys()]
    const { swarm } = scene
    this.each(swarm.crashEveryMs, () => this.crash(this.anyBroker()))
    this.each(swarm.partitionEveryMs, () => this.partition())
    this.each(swarm.pauseEveryMs, () => this.pause())
    this.each(swarm.clogEveryMs, () => this.clog())
    this.each(swarm.stallEveryMs, () => this.stall())
    this.each(swarm.resignEveryMs, () => this.resign())
    this.each(swarm.transferEveryMs, () => this.transfer(), this.transfers)
    this.each(swarm.trimEveryMs, () => this.trim(), this.trims)
    this.each(swarm.rumourEveryMs, () =>
      this.anyBroker().hearRumour(random.pick(this.ids), random.exponential(300)),
    )
  }

  private each(everyMs: number, run: () => void, random = this.random): void {
    if (everyMs === Infinity) return
    const { scene } = this
    scene.queue.after(random.exponential(everyMs), () => {
      if (scene.isHealed) return
      run()
      this.each(everyMs, run, random)
    })
  }

  private crash(broker: SimulatedBroker): void {
    const { scene, random } = this
    const { queue } = scene
    if (!broker.isUp) return
    broker.crash()
    for (const peer of scene.brokers.values()) {
      if (peer === broker || scene.network.isCut(peer.id, broker.id) || random.chance(0.3)) continue
      queue.after(random.between(50, 200), () => {
        if (!broker.isUp) peer.refusedBy(broker.id)
      })
    }
    queue.after(random.exponential(scene.swarm.downMeanMs), () => broker.start())
    // A power cut takes several at once.
    if (random.chance(scene.swarm.togetherRate)) this.crash(this.anyBroker())
  }

  private partition(): void {
    const { scene, random, ids } = this
    const { network } = scene
    network.mend()
    const isOneWay = random.chance(0.4)
    const cut = (a: BrokerId, b: BrokerId): void => {
      network.cut(a, b)
      if (!isOneWay) network.cut(b, a)
    }
    const kind = random.integer(4)
    if (kind === 0) {
      const alone = random.pick(ids)
      for (const id of ids) if (id !== alone) cut(alone, id)
    } else if (kind === 1) {
      const side = new Set(ids.filter(() => random.chance(0.5)))
      for (const a of ids) for (const b of ids) if (side.has(a) && !side.has(b)) cut(a, b)
    } else if (kind === 2) {
      for (let count = 1 + random.integer(ids.length); count > 0; count--)
        cut(random.pick(ids), random.pick(ids))
    } else {
      // A chain: each reaches its neighbours only.
      for (const a of ids) for (const b of ids) if (Math.abs(a - b) > 1) network.cut(a, b)
    }
    this.note(`partition ${kind}${isOneWay ? ', one-way' : ''}`)
    scene.queue.after(random.exponential(scene.swarm.partitionMeanMs), () => network.mend())
  }

  private pause(): void {
    const broker = this.anyBroker()
    const durationMs = this.random.between(0, this.scene.swarm.pauseMaxMs)
    broker.pause(durationMs)
    this.note(`broker ${broker.id} pauses for ${durationMs.toFixed(0)} ms`)
  }

  private clog(): void {
    const { random, scene } = this
    scene.network.clog(random.pick(this.ids), random.pick(this.ids), random.between(0, scene.swarm.clogMaxMs))
  }

  private stall(): void {
    const broker = this.anyBroker()
    const durationMs = this.random.between(0, 1.5 * this.scene.swarm.stalledMs)
    broker.disk.stall(durationMs)
    this.note(`the disk of broker ${broker.id} stalls for ${durationMs.toFixed(0)} ms`)
  }

  private resign(): void {
    const { scene, random } = this
    const group = random.pick(scene.groups)
    for (const broker of scene.brokers.values())
      if (broker.host(group)?.paxos.role === 'leader') broker.resign(group)
  }

  /** Sooner than a leader would: followers that are in sync lose slots that they still need. */
  private trim(): void {
    const { scene, trims } = this
    const group = trims.pick(scene.groups)
    const place = trims.integer(4)
    for (const broker of scene.brokers.values())
      if (broker.host(group)?.paxos.role === 'leader') broker.trim(group, place)
  }

  private transfer(): void {
    const { scene, transfers, ids } = this
    const group = transfers.pick(scene.groups)
    const to = transfers.pick(ids)
    for (const broker of scene.brokers.values())
      if (broker.host(group)?.paxos.role === 'leader') broker.transfer(group, to)
  }

  private anyBroker(): SimulatedBroker {
    return this.scene.brokers.get(this.random.pick(this.ids)) as SimulatedBroker
  }

  private note(what: string): void {
    this.scene.trace.note(TRACED.FAULT, 0, what.length, this.scene.queue.nowMs, () => what)
  }
}
