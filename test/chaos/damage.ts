import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { flipIn, KINDS, truncateIn } from '../flips/kinds.ts'
import { Random } from '../sim/random.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import type { DamageAtlas } from './damage-atlas.ts'
import type { Fault } from './schedule.ts'

/** Flips in one broker's files at one time. */
const FLIPS_MAX = 3

/** Where it is noted what was damaged. */
export interface DamageNotes {
  readonly atlas: DamageAtlas
  say(sentence: string): void
}

/** Ends a broker and damages what it has on disk; what it returns starts it again. */
export async function damage(
  cluster: ChaosCluster,
  { kind, brokers, amount }: Fault,
  { atlas, say }: DamageNotes,
): Promise<() => Promise<void>> {
  const id = atlas.victim(brokers[0]!)
  const folder = cluster.dataFolderOf(id)
  const random = new Random(amount)
  atlas.wound(id, storeIdIn(folder))
  cluster.allowDamage(id)
  await cluster.end(id, kind !== 'wipe-disk' && random.chance(0.5) ? 'SIGTERM' : 'SIGKILL')
  const done =
    kind === 'wipe-disk'
      ? wipe(folder)
      : kind === 'flip-bits'
        ? flip(folder, random)
        : truncate(folder, random)
  say(`  broker ${id}: ${done}`)
  return () => cluster.launch(id)
}

/** Of the store in a data folder; undefined where there is none that can be read. */
export function storeIdIn(folder: string): string | undefined {
  try {
    const { storeId } = JSON.parse(readFileSync(join(folder, 'store.json'), 'utf8')) as { storeId?: unknown }
    return typeof storeId === 'string' ? storeId : undefined
  } catch {
    return undefined
  }
}

function wipe(folder: string): string {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 })
  mkdirSync(folder)
  return 'wiped'
}

function flip(folder: string, random: Random): string {
  const count = 1 + random.integer(FLIPS_MAX)
  return Array.from({ length: count }, () => harm(folder, random, flipIn)).join(', ')
}

function truncate(folder: string, random: Random): string {
  return harm(folder, random, truncateIn)
}

/**
 * A file of a kind drawn by chance. The end of a journal that nothing else on the disk knows of is missed by other brokers
 * only, up to a heartbeat before its broker was killed (docs/guarantees.md); so it is damaged after a stop in order.
 */
function harm(folder: string, random: Random, how: typeof flipIn): string {
  const isStoppedInOrder = existsSync(join(folder, 'clean.json'))
  const possible = KINDS.filter(({ needsStop }) => isStoppedInOrder || !needsStop)
  const first = random.integer(possible.length)
  for (let step = 0; step < possible.length; step++) {
    const done = how(folder, possible[(first + step) % possible.length]!, random)
    if (done !== undefined) return done
  }
  return 'nothing there to damage'
}
