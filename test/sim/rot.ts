import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import { readIndex } from '../../src/storage/index-found.ts'
import { decodeRecord } from '../../src/storage/journal-record.ts'
import type { Operation, Pair } from '../../src/storage/key-value.ts'
import { FLOOR_KEY, JOURNAL_TAG, numberOf, tagRange } from '../../src/storage/keys.ts'
import type { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import { readFloor } from '../../src/storage/rows.ts'
import type { Random } from './random.ts'
import type { Scene } from './scene.ts'
import { TRACED } from './trace.ts'

/** The newest records of a journal: what stands there is most likely not applied yet. */
const NEWEST_COUNT = 6

/** One value of a journal as time has changed it; undefined: it is gone. */
export interface Rotten {
  readonly key: Uint8Array
  readonly value: Uint8Array | undefined
}

/** What happens to a journal between a crash and a start. */
export interface RotAtRest {
  readonly valuesMax: number
  /** Whole records, too. */
  readonly isOfRecords: boolean
}

/** Flips a bit in the body of some entry. */
export async function rotBody(journal: MemoryKeyValue, random: Random): Promise<Rotten | undefined> {
  const pair = pick(await records(journal), random)
  if (pair === undefined) return undefined
  const record = decodeRecord(pair.key, pair.value)
  const withBodies = record?.kind === 'persist' ? record.entries.filter((entry) => entry.bodyLength > 0) : []
  if (withBodies.length === 0) return undefined
  const { bodyAt, bodyLength } = random.pick(withBodies)
  return flipped(pair, bodyAt + random.integer(bodyLength), random)
}

/**
 * Damages the head of a record, or takes all of it, where the index has seen it for good: only then is it known what was lost.
 * Above that it might have been a promise, and the whole store would be damaged.
 */
export async function rotRecord(
  { journal, index }: { readonly journal: MemoryKeyValue; readonly index: MemoryKeyValue },
  random: Random,
): Promise<Rotten | undefined> {
  const floorRow = await journal.get(FLOOR_KEY)
  const floor = floorRow === undefined ? undefined : readFloor(FLOOR_KEY, floorRow)
  const { trusted, isRebuilt, isDamaged } = await readIndex(index, floor?.lsn ?? 0)
  if (isRebuilt || isDamaged) return undefined
  const all = await records(journal)
  // The newest one stays: a journal that ends early has lost its tail.
  const known = all.slice(0, -1).filter(({ key }) => numberOf(key) <= trusted.lsn)
  const pair = pick(known, random)
  const record = pair === undefined ? undefined : decodeRecord(pair.key, pair.value)
  // A checkpoint is not repaired: the next ones take its place.
  if (pair === undefined || record?.kind !== 'persist') return undefined
  if (random.chance(0.5)) return { key: pair.key, value: undefined }
  const headLength = record.entries[0]?.bodyAt ?? pair.value.length
  return flipped(pair, random.integer(headLength), random)
}

export function operationOf({ key, value }: Rotten): Operation {
  return value === undefined ? { type: 'del', key } : { type: 'put', key, value }
}

/** Lets the victims' disks rot while the faults last, and has brokers search their disks now and then. */
export function letRot(scene: Scene, random: Random): void {
  const { swarm, queue, brokers } = scene
  const each = (everyMs: number, run: () => void): void => {
    if (everyMs === Infinity) return
    queue.after(random.exponential(everyMs), () => {
      if (scene.isHealed) return
      run()
      each(everyMs, run)
    })
  }
  const victims = [...scene.atlas.rotten]
  if (victims.length === 0) return
  each(swarm.rotEveryMs, () => {
    const id = random.pick(victims)
    scene.trace.note(TRACED.FAULT, id, 0, queue.nowMs, () => `a bit flips on the disk of broker ${id}`)
    brokers.get(id)?.disk.rotLive()
  })
  each(swarm.scrubEveryMs, () => void scrub(scene, random.pick(victims)))
}

/** Searches a disk; resolves with how much was found damaged, 0 when the broker does not run. */
export async function scrub(scene: Scene, id: BrokerId): Promise<number> {
  const broker = scene.brokers.get(id)
  const store = broker?.store
  if (store === undefined) return 0
  scene.stir()
  try {
    return (await store.scrub(Infinity)).damagedCount
  } catch (error) {
    if (broker?.store === store) scene.failed(error)
    return 0
  }
}

/** Every entry of a replica that takes part, as its disk gives it back, is held against what was chosen. */
export async function readBack(scene: Scene, id: BrokerId, group: GroupId): Promise<void> {
  const broker = scene.brokers.get(id)
  const host = broker?.host(group)
  if (broker?.store === undefined || host === undefined || broker.isOutsider) return
  const { logStart, commit, role } = host.paxos
  if (logStart.slot > commit || role === 'retired') return
  scene.stir()
  const entries = await broker.store.readEntries(group, logStart.slot, commit, Infinity)
  scene.oracles.stored(id, group, { from: logStart.slot, to: commit }, entries)
}

async function records(journal: MemoryKeyValue): Promise<readonly Pair[]> {
  return await journal.scan({ ...tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1), countMax: 1e6 })
}

function pick(pairs: readonly Pair[], random: Random): Pair | undefined {
  if (pairs.length === 0) return undefined
  return random.pick(random.chance(0.5) ? pairs : pairs.slice(-NEWEST_COUNT))
}

/** A copy: entries in memory may be views of what a store was given. */
function flipped({ key, value }: Pair, at: number, random: Random): Rotten {
  const copy = Buffer.from(value)
  copy[at] = (copy[at] ?? 0) ^ (1 << random.integer(8))
  return { key, value: copy }
}
