import { CONTROLLER_GROUP, type BrokerId } from '../../src/types/ids.ts'
import type { Random } from '../sim/random.ts'
import { TRACED } from '../sim/trace.ts'
import type { SimulatedBroker } from './broker.ts'
import { DiskError } from './process-errors.ts'
import { scrub } from './rot.ts'
import type { BrokersScene } from './scene.ts'
import type { BrokersSwarm } from './swarm.ts'

/** Beyond the time after which a leader with a hanging disk is given up. */
export const STALL_MAX_MS = 3_000

/** What a fault may use. */
interface Spoiler {
  readonly scene: BrokersScene
  readonly random: Random
  readonly ids: readonly BrokerId[]
  any(): SimulatedBroker
  note(what: string): void
}

/** One way in which things go wrong, at random times until the run is healed. */
interface Fault {
  readonly name: string
  /** Mean time between two; Infinity for never. */
  readonly everyMs: (swarm: BrokersSwarm) => number
  strike(spoiler: Spoiler): void
}

/**
 * Every fault there is. One more is an entry here, its rate in `swarm.ts`, and whatever it needs of the broker or its disk;
 * each draws from a stream of its own, so that a new one leaves the others' times as they are.
 */
export const FAULTS: readonly Fault[] = [
  { name: 'crash', everyMs: (swarm) => swarm.crashEveryMs, strike: crash },
  { name: 'shut down', everyMs: (swarm) => swarm.shutdownEveryMs, strike: shutDown },
  { name: 'partition', everyMs: (swarm) => swarm.partitionEveryMs, strike: partition },
  { name: 'pause', everyMs: (swarm) => swarm.pauseEveryMs, strike: pause },
  { name: 'clog', everyMs: (swarm) => swarm.clogEveryMs, strike: clog },
  { name: 'break lanes', everyMs: (swarm) => swarm.laneBreakEveryMs, strike: breakLanes },
  { name: 'stall', everyMs: (swarm) => swarm.stallEveryMs, strike: stall },
  { name: 'fail a write', everyMs: (swarm) => swarm.ioErrorEveryMs, strike: failWrite },
  { name: 'fill the disk', everyMs: (swarm) => swarm.fullDiskEveryMs, strike: fillDisk },
  { name: 'rot', everyMs: (swarm) => swarm.rotEveryMs, strike: rot },
  { name: 'search a disk', everyMs: (swarm) => swarm.scrubEveryMs, strike: searchDisk },
  { name: 'set the clock', everyMs: (swarm) => swarm.clockJumpEveryMs, strike: setClock },
  {
    name: 'add a broker',
    everyMs: (swarm) => (swarm.joinerCount > 0 ? swarm.faultPhaseMs / 4 : Infinity),
    strike: addBroker,
  },
  { name: 'crash the controller', everyMs: (swarm) => swarm.controllerCrashEveryMs, strike: crashController },
  { name: 'move a leader', everyMs: (swarm) => swarm.transferEveryMs, strike: moveLeader },
  { name: 'resign', everyMs: (swarm) => swarm.resignEveryMs, strike: resign },
]

/** Lets all faults of a run happen; `struck` gets the name of each that did. */
export function beginFaults(scene: BrokersScene, random: Random, struck: Set<string>): void {
  const ids = [...scene.brokers.keys()]
  for (const fault of FAULTS) {
    const everyMs = fault.everyMs(scene.swarm)
    if (everyMs === Infinity) continue
    const own = random.fork(fault.name)
    const spoiler: Spoiler = {
      scene,
      random: own,
      ids,
      any: () => scene.brokers.get(own.pick(ids)) as SimulatedBroker,
      note: (what) => scene.trace.note(TRACED.FAULT, 0, what.length, scene.queue.nowMs, () => what),
    }
    const next = (): void =>
      scene.queue.after(own.exponential(everyMs), () => {
        if (scene.isHealed) return
        struck.add(fault.name)
        fault.strike(spoiler)
        next()
      })
    next()
  }
}

function crash(spoiler: Spoiler, broker = spoiler.any()): void {
  const { scene, random } = spoiler
  if (!broker.isOn) return
  broker.crash()
  refuse(spoiler, broker)
  startLater(spoiler, broker)
  // A power cut takes several at once.
  if (random.chance(scene.swarm.togetherRate)) crash(spoiler)
}

/** The first one that has not joined yet. */
function addBroker({ scene }: Spoiler): void {
  for (const [id, broker] of scene.brokers)
    if (!scene.founders.includes(id) && broker.life === 0) return broker.start()
}

/** In the middle of whatever it does. */
function crashController(spoiler: Spoiler): void {
  for (const broker of spoiler.scene.brokers.values())
    if (broker.process?.composition.control?.group.isController === true) return crash(spoiler, broker)
}

function shutDown(spoiler: Spoiler): void {
  const broker = spoiler.any()
  broker.shutDown()
  startLater(spoiler, broker)
}

function startLater({ scene, random }: Spoiler, broker: SimulatedBroker): void {
  scene.queue.after(random.exponential(scene.swarm.downMeanMs), () => {
    if (!scene.absent.has(broker.id)) broker.start()
  })
}

/** Peers that can reach the machine find that nobody listens there. */
function refuse({ scene, random }: Spoiler, broker: SimulatedBroker): void {
  for (const peer of scene.brokers.values()) {
    if (peer === broker || scene.network.isCut(peer.id, broker.id) || random.chance(0.3)) continue
    scene.queue.after(random.between(50, 200), () => {
      if (!broker.isOn) peer.refusedBy(broker.id)
    })
  }
}

/** One broker alone, two sides, some links, or a chain in which each reaches its neighbours only. */
function partition({ scene, random, ids, note }: Spoiler): void {
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
    for (const a of ids) for (const b of ids) if (Math.abs(a - b) > 1) network.cut(a, b)
  }
  note(`partition ${kind}${isOneWay ? ', one-way' : ''}`)
  scene.queue.after(random.exponential(scene.swarm.partitionMeanMs), () => {
    if (!scene.isHealed) network.mend()
  })
}

function pause({ scene, random, any, note }: Spoiler): void {
  const broker = any()
  const durationMs = random.between(0, scene.swarm.pauseMaxMs)
  broker.pause(durationMs)
  note(`broker ${broker.id} pauses for ${durationMs.toFixed(0)} ms`)
}

function clog({ scene, random, ids }: Spoiler): void {
  scene.network.clog(random.pick(ids), random.pick(ids), random.between(0, scene.swarm.clogMaxMs))
}

function breakLanes({ scene, any, note }: Spoiler): void {
  const a = any().id
  const b = any().id
  scene.lanes.breakBetween(({ from, to }) => from.id === a && to.id === b)
  note(`the lane from broker ${a} to ${b} breaks`)
}

function stall({ random, any, note }: Spoiler): void {
  const broker = any()
  const durationMs = random.between(0, STALL_MAX_MS)
  broker.disk.stall(durationMs)
  note(`the disk of broker ${broker.id} stalls for ${durationMs.toFixed(0)} ms`)
}

function failWrite({ any, note }: Spoiler): void {
  const broker = any()
  if (broker.disk.breakWith(new DiskError('EIO'))) note(`the next write of broker ${broker.id} fails`)
}

function fillDisk({ scene, random, any, note }: Spoiler): void {
  const broker = any()
  broker.isDiskFull = true
  note(`the disk of broker ${broker.id} is nearly full`)
  scene.queue.after(random.between(0, 6_000), () => (broker.isDiskFull = false))
}

/** Of the victims alone: a bit in the body of some entry flips. */
function rot({ scene, random, note }: Spoiler): void {
  if (scene.victims.size === 0) return
  const id = random.pick([...scene.victims])
  scene.brokers.get(id)?.disk.rotLive()
  note(`a bit flips on the disk of broker ${id}`)
}

function searchDisk({ scene, random, note }: Spoiler): void {
  if (scene.victims.size === 0) return
  const id = random.pick([...scene.victims])
  note(`the disk of broker ${id} is searched`)
  scrub(scene.brokers.get(id) as SimulatedBroker).catch((error: unknown) => scene.failed(error))
}

function setClock({ random, any, note }: Spoiler): void {
  const broker = any()
  const errorMs = Math.floor(random.between(-500, 500) * random.pick([1, 1, 20]))
  broker.setClockWrongBy(errorMs)
  note(`the clock of broker ${broker.id} is set wrong by ${errorMs} ms`)
}

/** To any broker, whatever its state, of any group that the broker leads: as a client may order it, and the controller's too. */
function moveLeader({ random, ids, any, note }: Spoiler): void {
  const broker = any()
  const led = broker.process?.composition.engine.registry.led() ?? []
  if (led.length === 0) return
  const replica = random.pick(led)
  const to = random.pick(ids)
  replica.transfer(to).catch(() => {})
  note(`broker ${broker.id} is told to hand group ${replica.group} to ${to}`)
}

function resign({ scene, random, note }: Spoiler): void {
  const isController = random.chance(0.5)
  for (const broker of scene.brokers.values())
    for (const replica of broker.process?.composition.engine.registry.led() ?? [])
      if (!isController || replica.group === CONTROLLER_GROUP) replica.resign()
  note(isController ? 'the controller resigns' : 'all leaders resign')
}
