import { isCopyOf } from './damage.ts'
import type { Core } from './core.ts'
import type { Entry } from './state.ts'

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
    core.persist([{ kind: 'repair', entry }])
    hasMended = true
  }
  return hasMended
}
