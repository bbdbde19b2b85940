import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import type { Idempotency } from '../../src/types/record.ts'
import type { Random } from './random.ts'
import type { Answer, Request } from './requests.ts'
import type { Scene } from './scene.ts'
import { TRACED } from './trace.ts'

/** A client whose requests are sent again until they are stored. */
interface Producer {
  readonly name: string
  readonly group: GroupId
  /** How it makes that safe: 'none' gives up as soon as the outcome is unknown. */
  readonly kind: 'producer' | 'key' | 'none'
  nextSeq: number
  current: Request | undefined
  target: BrokerId
  /** Counts the attempts of the current request: only the newest one may lead to another. */
  attempt: number
}

/** Clients outside of the cluster, who know neither who leads nor what became of a request that nobody answered. */
export class Workload {
  private readonly scene: Scene
  private readonly random: Random
  private readonly producers: Producer[] = []
  private requestCount = 0
  private isFinishing = false
  storedCount = 0

  constructor(scene: Scene, random: Random) {
    this.scene = scene
    this.random = random
    const { swarm, groups, queue } = scene
    for (let index = 0; index < swarm.producerCount; index++) {
      const kind = index === 0 ? 'producer' : random.pick(['producer', 'key', 'none'] as const)
      const group = groups[index % groups.length] as GroupId
      const producer: Producer = {
        name: `p${index}`,
        group,
        kind,
        nextSeq: 0,
        current: undefined,
        target: this.anyBroker(),
        attempt: 0,
      }
      this.producers.push(producer)
      queue.after(random.between(0, 300), () => this.begin(producer))
    }
    if (swarm.quietMs > 0)
      queue.after(Math.max(0, swarm.faultPhaseMs - swarm.quietMs), () => (this.isFinishing = true))
    if (swarm.readEveryMs < Infinity) this.readLater()
  }

  /** Nobody begins anything new, except one request a group that must still get through; in quiet runs not even that. */
  finish(): void {
    this.isFinishing = true
    if (this.scene.swarm.quietMs > 0) return
    for (const group of this.scene.groups) {
      const producer: Producer = {
        name: `last${group}`,
        group,
        kind: 'producer',
        nextSeq: 0,
        current: undefined,
        target: this.anyBroker(),
        attempt: 0,
      }
      this.producers.push(producer)
      this.send(producer)
    }
  }

  /** Requests without an outcome. */
  get openCount(): number {
    return this.producers.reduce((count, producer) => count + (producer.current === undefined ? 0 : 1), 0)
  }

  private begin(producer: Producer): void {
    if (this.isFinishing || producer.current !== undefined) return
    this.send(producer)
  }

  private send(producer: Producer): void {
    const id = ++this.requestCount
    const recordCount = 1 + this.random.integer(this.scene.swarm.recordsMax)
    let idempotency: Idempotency | undefined
    if (producer.kind === 'producer')
      idempotency = { kind: 'producer', id: producer.name, epoch: 1, seq: producer.nextSeq }
    if (producer.kind === 'key')
      idempotency = { kind: 'key', key: `k${id}`, fingerprint: new Uint8Array(32).fill(id) }
    producer.nextSeq += recordCount
    producer.current = { id, group: producer.group, idempotency, recordCount }
    this.attempt(producer, producer.current)
  }

  private attempt(producer: Producer, request: Request): void {
    if (producer.current !== request) return
    const { scene, random } = this
    const { queue, swarm } = scene
    const number = ++producer.attempt
    let isAnswered = false
    const answer = (given: Answer): void => {
      if (isAnswered) return
      isAnswered = true
      scene.trace.note(
        TRACED.CLIENT,
        producer.target,
        request.id,
        queue.nowMs,
        () => `client ${producer.name} request ${request.id}: ${given.kind}`,
      )
      if (given.kind === 'refused' && producer.kind === 'none') scene.oracles.refused(request.group, request)
      // An answer may get lost on its way; the client then waits as long as for silence.
      if (scene.isHealed || !random.chance(0.05))
        queue.after(random.between(0, 5), () => this.settle(producer, request, number, given))
    }
    const copies = scene.isHealed || producer.kind === 'none' || !random.chance(0.1) ? 1 : 2
    for (let copy = 0; copy < copies; copy++) {
      const target = copy === 0 ? producer.target : this.anyBroker()
      queue.after(random.between(0, scene.isHealed ? 2 : 20), () =>
        scene.brokers.get(target)?.produce(request, answer),
      )
    }
    queue.after(swarm.retryAfterMs, () => this.settle(producer, request, number, { kind: 'unknown' }))
  }

  private settle(producer: Producer, request: Request, number: number, answer: Answer): void {
    if (producer.current !== request) return
    const { queue, swarm } = this.scene
    if (answer.kind === 'stored' || producer.kind === 'none') {
      producer.current = undefined
      if (answer.kind === 'stored') this.storedCount++
      queue.after(this.random.exponential(swarm.produceEveryMs), () => this.begin(producer))
      return
    }
    if (producer.attempt !== number) return
    const hint = answer.kind === 'refused' ? answer.leader : undefined
    producer.target = hint !== undefined && !this.random.chance(0.2) ? (hint as BrokerId) : this.anyBroker()
    // Counted as an attempt of its own, so that nothing else that belongs to the last one starts a second.
    producer.attempt++
    queue.after(this.random.between(20, 150), () => this.attempt(producer, request))
  }

  private readLater(): void {
    const { queue, swarm, groups, brokers, isHealed } = this.scene
    if (isHealed) return
    queue.after(this.random.exponential(swarm.readEveryMs), () => {
      brokers.get(this.anyBroker())?.read(this.random.pick(groups))
      this.readLater()
    })
  }

  private anyBroker(): BrokerId {
    return this.random.pick([...this.scene.brokers.keys()])
  }
}
