import type { BrokerId } from '../types/ids.ts'
import { decodeJson, encodeJson } from './forward.ts'
import type { GroupState, Inspector } from './inspect.ts'
import type { RoutedGroup, Router } from './router.ts'

const ASK_TIMEOUT_MS = 1_000

/**
 * A group's state as its leader tells it; undefined when no replica leads. All of them are asked in turn, for after a change the
 * one that leads may be the last of many that do not, and they may not know it.
 */
export async function leaderState(
  routed: RoutedGroup,
  parts: { readonly self: BrokerId; readonly inspector: Inspector; readonly router: Router },
): Promise<GroupState | undefined> {
  const asked = new Set<BrokerId>()
  let next = parts.router.leaderOf(routed.group) ?? routed.replicas[0]
  while (next !== undefined) {
    asked.add(next)
    const state = await ask(next, routed, parts)
    if (state?.role === 'leader') return state
    const named = state?.leader
    next =
      named !== undefined && !asked.has(named) ? named : routed.replicas.find((broker) => !asked.has(broker))
  }
  return undefined
}

async function ask(
  broker: BrokerId,
  { group }: RoutedGroup,
  { self, inspector, router }: Parameters<typeof leaderState>[1],
): Promise<GroupState | undefined> {
  if (broker === self) return inspector.here(group)
  try {
    const body = encodeJson({ groups: [group] })
    const [state] = decodeJson(await router.at(broker, group, 'state', body, ASK_TIMEOUT_MS)) as [
      GroupState | null,
    ]
    return state ?? undefined
  } catch {
    // Whoever does not answer does not lead, as far as this broker is concerned.
    return undefined
  }
}
