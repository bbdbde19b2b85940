import type { Digest } from '../../src/types/digest.ts'
import type { BrokerId, GroupId, Replica, StoreId } from '../../src/types/ids.ts'
import type { Heartbeat, SeenStore } from '../../src/detector/heartbeat.ts'
import { formatBallot } from '../../src/paxos/ballot.ts'
import type { Write } from '../../src/paxos/effects.ts'
import type { LinkView, PeerView } from '../../src/paxos/link-view.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { Digests } from '../../src/partition/digests.ts'
import { DamagedStoreError } from '../../src/storage/storage-errors.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { bootHosts, createHost } from './boot.ts'
import { openDigests } from './compare.ts'
import { describeMessage, digestMessage } from './describe.ts'
import type { Disk } from './disk.ts'
import type { GroupHost, Surroundings } from './group-host.ts'
import { HeartbeatHost, noteStart } from './heartbeat-host.ts'
import { Violation } from './judge.ts'
import { Pausable } from './pausable.ts'
import type { Random } from './random.ts'
import type { Answer, Request } from './requests.ts'
import type { Scene } from './scene.ts'
import { TRACED } from './trace.ts'

/** 2026-01-01, where the wall clocks begin. */
const WALL_START_MS = 1_767_225_600_000
/** Ticks of one broker at one instant before it counts as spinning. */
const TICKS_AT_ONCE_MAX = 50

/** What lives from a start to a crash. */
interface Process {
  readonly heartbeats: HeartbeatHost
  readonly digests: Digests
  readonly hosts: Map<GroupId, GroupHost>
  /** Replicas that are about to be gone from the disk. */
  readonly dropping: Map<GroupId, GroupHost>
  readonly store: JournaledStore
  /** Makes the first replica of a group here. */
  create(group: GroupId): GroupHost
}

export interface BrokerOptions {
  readonly self: Replica
  readonly disk: Disk
  readonly scene: Scene
  readonly random: Random
}

/** One broker: its disk and clocks, which survive, and its process, which comes and goes. */
export class SimulatedBroker {
  readonly id: BrokerId
  readonly disk: Disk
  readonly self: Replica
  private readonly scene: Scene
  private readonly random: Random
  private readonly clockStartMs: number
  private readonly clockRate: number
  private readonly wallStartMs: number
  private process: Process | undefined
  private isBooting = false
  private isAway = false
  private remembered: readonly SeenStore[] = []
  /** Counts starts and crashes: what was begun under another number must not go on. */
  private life = 0
  private readonly pausable: Pausable
  /** Persists under way at the crash. */
  private readonly undecided = new Map<GroupId, readonly (readonly Write[])[]>()
  private lastTickMs = -1
  private ticksAtOnce = 0

  constructor({ self, disk, scene, random }: BrokerOptions) {
    this.id = self.broker
    this.self = self
    this.disk = disk
    this.scene = scene
    this.random = random
    this.pausable = new Pausable(scene.queue)
    this.clockStartMs = random.between(0, 1e6)
    this.clockRate = 1 + random.between(-1, 1) * scene.swarm.clockDrift
    this.wallStartMs = WALL_START_MS + Math.floor(random.between(-500, 500))
  }

  get isUp(): boolean {
    return this.process !== undefined
  }

  get hosts(): readonly GroupHost[] {
    return this.process === undefined ? [] : [...this.process.hosts.values()]
  }

  host(group: GroupId): GroupHost | undefined {
    return this.process?.hosts.get(group)
  }

  /** Its own monotonic clock. */
  nowMs(): number {
    return this.clockStartMs + this.scene.queue.nowMs * this.clockRate
  }

  start(): void {
    if (this.process !== undefined || this.isBooting || this.isAway) return
    this.isBooting = true
    const life = ++this.life
    this.boot(life).catch((error: unknown) => {
      if (this.life === life) this.scene.failed(error)
    })
  }

  /** Power off: what was not synced is at the disk's mercy, everything in memory is gone. */
  crash(): void {
    const { process } = this
    if (process === undefined && !this.isBooting) return
    this.scene.trace.note(TRACED.CRASH, this.id, 0, this.scene.queue.nowMs, () => `broker ${this.id} crashes`)
    for (const host of [...this.hosts, ...(process?.dropping.values() ?? [])])
      this.undecided.set(host.group, host.pending)
    this.life++
    this.isBooting = false
    this.process = undefined
    this.pausable.clear()
    this.disk.crash()
  }

  /** Crashes and does not start again. */
  leave(): void {
    this.isAway = true
    this.crash()
  }

  /** The run is over: nothing that is still under way may touch it. */
  end(): void {
    this.life++
    this.process = undefined
    this.disk.crash()
  }

  /** Stops all that it does, as SIGSTOP would; its disk and what others send it go on. */
  pause(durationMs: number): void {
    if (this.process !== undefined) this.pausable.pause(durationMs)
  }

  wake(): void {
    this.pausable.wake()
  }

  private whenAwake(run: () => void): void {
    this.pausable.whenAwake(run)
  }

  receive(from: BrokerId, group: GroupId, message: Message): void {
    this.whenAwake(() => {
      const { queue, trace } = this.scene
      trace.note(
        TRACED.DELIVER,
        this.id,
        digestMessage(message),
        queue.nowMs,
        () => `${from} > ${this.id}  g${group} ${describeMessage(message)}`,
      )
      this.process?.heartbeats.detector.onHeard(from, this.nowMs())
      this.host(group)?.step({ kind: 'message', from, message })
    })
  }

  receiveHeartbeat(from: BrokerId, heartbeat: Heartbeat): void {
    this.whenAwake(() => this.process?.heartbeats.receive(from, heartbeat))
  }

  /** The highest journal number of a store that this broker remembers. */
  sawOf(store: StoreId): number {
    let highest = 0
    for (const { storeId, walSeq } of this.remembered)
      if (storeId === store) highest = Math.max(highest, walSeq)
    return highest
  }

  /** It keeps its store, and votes in nothing. */
  get isOutsider(): boolean {
    return this.process?.heartbeats.witness.standing.isOutsider === true
  }

  receiveDigest(from: BrokerId, digest: Digest): void {
    this.whenAwake(() => {
      const { queue, trace } = this.scene
      const { kind, places } = digest
      trace.note(TRACED.DELIVER, this.id, places.length, queue.nowMs, () => {
        const told = places.map(({ group, slot, nextOffset }) => `g${group} ${slot} (${nextOffset})`)
        return `${from} > ${this.id}  ${kind} ${told.join(', ')}`
      })
      this.process?.digests.received(from, digest)
    })
  }

  /** The peer's port refuses connections: its process is gone. */
  refusedBy(peer: BrokerId): void {
    this.whenAwake(() => {
      this.process?.heartbeats.detector.onRefused(peer, this.nowMs())
      this.lookAround()
    })
  }

  produce(request: Request, answer: (answer: Answer) => void): void {
    this.whenAwake(() => {
      const host = this.host(request.group)
      if (host === undefined) return answer({ kind: 'refused', leader: undefined })
      host.produce(request, answer)
      if (!this.scene.swarm.isCoalescing || this.process?.store.isSyncing === false) host.offer()
    })
  }

  read(group: GroupId): void {
    this.whenAwake(() => this.host(group)?.read())
  }

  /** Of the process that runs. */
  get store(): JournaledStore | undefined {
    return this.process?.store
  }

  resign(group: GroupId): void {
    this.whenAwake(() => this.host(group)?.step({ kind: 'resign' }))
  }

  transfer(group: GroupId, to: BrokerId): void {
    this.whenAwake(() => this.host(group)?.step({ kind: 'transfer', token: 0, to }))
  }

  reconfigure(group: GroupId, voters: readonly Replica[]): void {
    this.whenAwake(() => this.host(group)?.step({ kind: 'reconfigure', token: 0, voters }))
  }

  /** The metadata says something new of a group: it gets a replica, or other learners. */
  hearMembership(group: GroupId): void {
    this.whenAwake(() => {
      const { process } = this
      if (process === undefined) return
      if (!this.scene.membership.isHolder(group, this.id)) return this.drop(process, group)
      if (!process.hosts.has(group) && !process.dropping.has(group)) this.open(process, group)
      const replicas = this.scene.membership.learners(group)
      this.host(group)?.step({ kind: 'learners', replicas })
    })
  }

  /** The replica goes; the broker remembers the configuration above which another one may vote (consensus 1.12 step 6). */
  private drop(process: Process, group: GroupId): void {
    const host = process.hosts.get(group)
    if (host === undefined) return
    const { life, scene } = this
    const isCurrent = (): boolean => this.life === life
    host.stop()
    process.hosts.delete(group)
    process.dropping.set(group, host)
    scene.stir()
    process.store.retireGroup(group, Math.max(1, host.paxos.configuration.number)).then(
      () => {
        if (!isCurrent()) return
        scene.oracles.dropped(this.id, group)
        process.dropping.delete(group)
        this.hearMembership(group)
      },
      (error: unknown) => isCurrent() && scene.failed(error),
    )
  }

  private open(process: Process, group: GroupId): void {
    const host = process.create(group)
    process.hosts.set(group, host)
    host.step({ kind: 'links', links: process.heartbeats.detector.view })
    process.heartbeats.tellStandingTo(host)
  }

  /** As a leader: marks, and trims up to the `place`th of the marks it knows, if there is one. */
  trim(group: GroupId, place: number): void {
    this.whenAwake(() => {
      const host = this.host(group)
      host?.trim((host.paxos.checkpoints[place]?.slot ?? 1) - 1)
    })
  }

  /** Makes its groups believe for a while the opposite of what the detector says of a peer. */
  hearRumour(peer: BrokerId, durationMs: number): void {
    const { life } = this
    this.scene.queue.after(durationMs, () => {
      if (this.life === life) this.whenAwake(() => this.tellLinks())
    })
    this.whenAwake(() => {
      const { process } = this
      if (process === undefined) return
      const { view } = process.heartbeats.detector
      const known = view.peers.get(peer)
      const all = new Set(this.scene.brokers.keys())
      const sound = { alive: true, bootId: known?.bootId ?? '', stalled: false, draining: false, full: false }
      const wrong: PeerView = known?.alive === true ? { ...known, alive: false } : { ...sound, links: all }
      const links: LinkView = { ...view, peers: new Map([...view.peers, [peer, wrong]]) }
      for (const host of process.hosts.values()) host.step({ kind: 'links', links })
    })
  }

  private async boot(life: number): Promise<void> {
    const { scene } = this
    const { queue } = scene
    const store = await this.disk.open({
      nowMs: () => this.nowMs(),
      schedule: (run, delayMs) =>
        queue.after(delayMs / this.clockRate, () => this.life === life && this.whenAwake(run)),
      onFailure: (error) => scene.failed(error),
      onIdle: () => {
        if (this.life === life) for (const host of this.hosts) if (host.isWaitingToPropose) host.offer()
      },
      onDamaged: ({ group, ...damage }) =>
        this.life === life && this.guard(() => this.host(group)?.step({ kind: 'damaged', ...damage })),
      whenAwake: (run) => this.life === life && this.whenAwake(run),
    })
    const options = {
      self: { broker: this.id, store: store.identity.storeId },
      scene,
      bootNumber: life,
      around: this.surroundings(life, store),
      undecided: this.undecided,
    }
    let hosts: Map<GroupId, GroupHost> | undefined
    try {
      hosts = await bootHosts(options, () => this.life === life)
    } catch (error) {
      if (!(error instanceof DamagedStoreError) || !scene.oracles.hasForgotten(this.id) || this.life !== life)
        throw error
      return this.replaceStore(life)
    }
    if (hosts === undefined) return
    scene.stir()
    await store.begin()
    const bootId = `${this.id}.${life}`
    const starts = await noteStart(store, bootId, scene.mutant)
    if (this.life !== life) return
    const heartbeats = new HeartbeatHost({
      self: this.id,
      bootId,
      starts,
      scene,
      store,
      hosts,
      remembered: this.remembered,
      remember: (seen) => (this.remembered = seen),
      nowMs: () => this.nowMs(),
    })
    const process: Process = {
      heartbeats,
      hosts,
      digests: this.digests(life, hosts, heartbeats.detector),
      dropping: new Map(),
      store,
      create: (group) => createHost(group, options),
    }
    this.undecided.clear()
    this.isBooting = false
    this.process = process
    scene.trace.note(TRACED.START, this.id, life, queue.nowMs, () => `broker ${this.id} starts`)
    for (const host of this.hosts) {
      this.hearMembership(host.group)
      this.arrangeTick(host)
    }
    heartbeats.tellStanding()
    queue.after(this.random.between(0, scene.swarm.heartbeatMs), () => this.beat(life))
  }

  /** A store that is damaged as a whole is set aside: the broker goes on with an empty one that has no vote. */
  private async replaceStore(life: number): Promise<void> {
    const { scene } = this
    this.disk.wipe(false)
    for (const group of scene.groups) scene.oracles.of(group).truth.forgets(this.id, this.disk.storeId)
    await this.boot(life)
  }

  private digests(life: number, hosts: Process['hosts'], detector: HeartbeatHost['detector']): Digests {
    const { scene } = this
    return openDigests({
      id: this.id,
      scene,
      hosts,
      isAlive: (broker) => detector.view.peers.get(broker)?.alive === true,
      schedule: (run, delayMs) =>
        scene.queue.after(delayMs / this.clockRate, () => {
          if (this.life === life) this.whenAwake(run)
        }),
      transmit: (to, digest) =>
        scene.network.sendDigest(this.id, to, () => scene.brokers.get(to)?.receiveDigest(this.id, digest)),
    })
  }

  private surroundings(life: number, store: JournaledStore): Surroundings {
    const { scene } = this
    const { queue, trace } = scene
    return {
      id: this.id,
      store,
      oracles: scene.oracles,
      syncChunkBytesMax: scene.swarm.syncChunkBytesMax,
      partBytesMax: scene.swarm.partBytesMax,
      mutant: scene.mutant,
      nowMs: () => this.nowMs(),
      wallMs: () => this.wallStartMs + Math.floor(queue.nowMs),
      random: () => this.random.next(),
      transmit: (to, group, message) => {
        if (!scene.isHealed && scene.mutant.losesMessage?.(message) === true) return
        scene.network.send(this.id, to, () => scene.brokers.get(to)?.receive(this.id, group, message))
      },
      stir: () => scene.stir(),
      stepped: (host) => this.arrangeTick(host),
      noteApply: (host, entry) =>
        trace.note(
          TRACED.APPLY,
          this.id,
          entry.chain,
          queue.nowMs,
          () =>
            `broker ${this.id}  g${host.group} applies slot ${entry.slot} of ${formatBallot(entry.origin)}`,
        ),
      applied: (place) => this.process?.digests.applied(place),
      noteRole: (host, effect) =>
        trace.note(
          TRACED.ROLE,
          this.id,
          effect.ballot.round,
          queue.nowMs,
          () =>
            `broker ${this.id}  g${host.group} is ${effect.role} at ${formatBallot(effect.ballot)}, leader ${effect.leader}`,
        ),
      resume: (run) => {
        if (this.life === life) this.guard(run)
      },
      failed: (error) => {
        if (this.life === life) scene.failed(error)
      },
    }
  }

  /** Callbacks of the store must not throw: what an oracle finds there stops the run. */
  private guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.scene.failed(error)
    }
  }

  /** Every heartbeat interval: tells the peers, and looks whether the view has changed. */
  private beat(life: number): void {
    if (this.life !== life) return
    this.whenAwake(() => {
      const { process, scene } = this
      if (process === undefined) return
      process.heartbeats.sendAll()
      this.lookAround()
      scene.queue.after(scene.swarm.heartbeatMs / this.clockRate, () => this.beat(life))
    })
  }

  private lookAround(): void {
    const { process } = this
    if (process !== undefined && process.heartbeats.detector.tick(this.nowMs())) this.tellLinks()
  }

  private tellLinks(): void {
    const links = this.process?.heartbeats.detector.view
    if (links !== undefined) for (const host of this.hosts) host.step({ kind: 'links', links })
  }

  /** Keeps one event in the queue for the earliest wish of a group; an event whose wish has changed does nothing. */
  private arrangeTick(host: GroupHost): void {
    const deadlineMs = host.paxos.deadlineMs
    if (deadlineMs === undefined) {
      host.tickAtMs = Infinity
      return
    }
    const { queue } = this.scene
    // A little late rather than early: rounding must not make a tick come before its deadline.
    const atMs = Math.max(queue.nowMs, (deadlineMs - this.clockStartMs) / this.clockRate + 0.001)
    if (atMs === host.tickAtMs) return
    host.tickAtMs = atMs
    queue.after(atMs - queue.nowMs, () => this.whenAwake(() => this.tick(host, atMs)))
  }

  private tick(host: GroupHost, atMs: number): void {
    if (host.tickAtMs !== atMs || this.host(host.group) !== host) return
    const { nowMs } = this.scene.queue
    this.ticksAtOnce = nowMs === this.lastTickMs ? this.ticksAtOnce + 1 : 0
    this.lastTickMs = nowMs
    if (this.ticksAtOnce > TICKS_AT_ONCE_MAX)
      throw new Violation('spin', `broker ${this.id} ticks again and again at ${nowMs}`)
    host.tickAtMs = Infinity
    host.step({ kind: 'tick' })
  }
}
