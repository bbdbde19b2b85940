import { crc32 } from 'node:zlib'
import { slot, type GroupId, type Replica } from '../../src/types/ids.ts'
import type { Write } from '../../src/paxos/effects.ts'
import { FIRST_CHAIN } from '../../src/paxos/entry.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import { initialState, type Configuration, type RecoveredState } from '../../src/paxos/state.ts'
import { RecordMachine } from '../../src/partition/record-machine.ts'
import type { RecoveredGroup } from '../../src/storage/log-store.ts'
import { GroupHost, type Surroundings } from './group-host.ts'
import type { Scene } from './scene.ts'

/** Never reached in a run: a retry must be recognised however late it comes. */
const DEDUP_WINDOW = { dedupWindowMs: 600_000, dedupWindowCount: 100_000 }

export interface BootOptions {
  readonly self: Replica
  readonly scene: Scene
  readonly bootNumber: number
  readonly around: Surroundings
  /** Persists under way at the crash before. */
  readonly undecided: ReadonlyMap<GroupId, readonly (readonly Write[])[]>
}

/** Recovers the store and all groups of a broker, creating those that are not there; undefined when it crashed meanwhile. */
export async function bootHosts(
  options: BootOptions,
  isAlive: () => boolean,
): Promise<Map<GroupId, GroupHost> | undefined> {
  const { scene, around, undecided } = options
  const found = await around.store.recover()
  const hosts = new Map<GroupId, GroupHost>()
  for (const group of scene.groups) {
    if (!isAlive()) return undefined
    const one = found.find((candidate) => candidate.group === group)
    if (one === undefined && around.store.retiredAt(group) > 0) around.oracles.dropped(around.id, group)
    if (one === undefined && !scene.membership.isHolder(group, around.id)) continue
    if (one === undefined) around.oracles.foundNothing(around.id, group)
    else around.oracles.recovered(around.id, one, undecided.get(group) ?? [])
    hosts.set(group, one === undefined ? createHost(group, options) : await recoverHost(one, options))
  }
  return isAlive() ? hosts : undefined
}

/** A replica begins with a state record on disk; nothing that it says can leave before that. */
export function createHost(group: GroupId, options: BootOptions): GroupHost {
  const { around } = options
  const state = initialState(firstConfiguration(group, options), around.store.retiredAt(group))
  const writes: readonly Write[] = [{ kind: 'state', state }]
  around.oracles.wrote(around.id, group, writes)
  around.stir()
  around.store.append({
    group,
    writes,
    onDurable: () => around.oracles.madeDurable(around.id, group, writes),
  })
  const paxos = makePaxos({ state, commit: slot(0), chainAtCommit: FIRST_CHAIN, tail: [] }, options)
  return new GroupHost(
    { group, paxos, machine: new RecordMachine(DEDUP_WINDOW) },
    { slot: slot(0), logBytes: 0 },
    around,
  )
}

/** Whoever was not there from the beginning learns, and asks those who vote when it is made. */
function firstConfiguration(group: GroupId, { scene, self, around }: BootOptions): Configuration {
  const { configuration, oracles } = scene
  const isReturning = around.store.retiredAt(group) > 0
  if (!isReturning && configuration.voters.some((voter) => voter.broker === self.broker)) return configuration
  const { voters } = oracles.of(group).truth.newest
  return { number: 0, voters, learners: [], fromSlot: slot(0) }
}

async function recoverHost(found: RecoveredGroup, options: BootOptions): Promise<GroupHost> {
  const { around, scene } = options
  const { group, state, applied, chainAtApplied, tail } = found
  const machine = new RecordMachine(DEDUP_WINDOW)
  const rows = await around.store.recoverRows(group)
  machine.restore(scene.mutant.isRowless === true ? [] : rows, applied)
  const paxos = makePaxos({ state, commit: applied.slot, chainAtCommit: chainAtApplied, tail }, options)
  return new GroupHost({ group, paxos, machine }, applied, around)
}

function makePaxos(recovered: RecoveredState, { self, scene, bootNumber }: BootOptions): Paxos {
  const { mutant, swarm } = scene
  const options = { self, tuning: swarm.tuning, checksum: crc32, bootNumber }
  return mutant.paxos === undefined ? new Paxos(options, recovered) : mutant.paxos(options, recovered)
}
