import { isCopyOf } from './damage.ts'
import type { Core } from './core.ts'
import type { Entry } from './state.ts'
import type { Slot } from '../types/ids.ts'

/**
 * Whole copies of entries that are damaged here take their place, each written by itself (consensus 1.16). Whoever sent them,
 * and for whatever reason: what an entry is, its chain value says. Returns whether any did.
 */
export function mendFrom(core: Core, entries: readonly Entry[]): boolean {
  const { log } = core
  if (log.damage.count === 0) return false
  let hasMended = false
  for (const entry of entries) {
    const damaged = log.damage.at(entry.slot)
    if (damaged === undefined || !isCopyOf(damaged, entry, core.checksum)) continue
    log.mend(entry)
    writeRepair(core, entry)
    hasMended = true
  }
  return hasMended
}

/** Until it is durable the store goes on meeting the damage. */
export function writeRepair(core: Core, entry: Entry): void {
  const persistId = core.persist([{ kind: 'repair', entry }])
  core.repairs = core.repairs.filter((repair) => repair.persistId > core.durablePersist)
  core.repairs.push({ slot: entry.slot, persistId })
}

export function isBeingRepaired(core: Core, slot: Slot): boolean {
  return core.repairs.some((repair) => repair.slot === slot && repair.persistId > core.durablePersist)
}
