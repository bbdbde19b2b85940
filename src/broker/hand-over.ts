import type { BrokerId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import type { Engine } from './engine.ts'

/** Groups that are handed over at once: each costs a moment in which nothing is admitted. */
const CONCURRENT_MAX = 64
/** All of them together; what is left afterwards resigns, and the others elect (consensus 1.13). */
const BUDGET_MS = 10_000
/** An attempt that is given up is not announced: looked for so often. */
const LOOK_MS = 50

export type HandOverParts = Pick<Engine, 'self' | 'registry' | 'heartbeats' | 'loop'>
type Led = ReturnType<Engine['registry']['led']>[number]

/**
 * Hands every leadership of this broker to replicas that are in sync, spread over their brokers, before it stops or while its
 * disk has no room. Groups that
 * nobody can take are left at once: a whole cluster that stops does not wait for itself. Resolves in `BUDGET_MS` at the latest.
 */
export async function handOverAll(parts: HandOverParts): Promise<void> {
  const waiting = parts.registry.led()[Symbol.iterator]()
  const given = new Map<BrokerId, number>()
  const untilMs = parts.loop.clock.nowMs() + BUDGET_MS
  const work = async (): Promise<void> => {
    // One iterator for all, so that each group has one worker.
    for (const replica of waiting) await handOver(parts, replica, given, untilMs)
  }
  await Promise.all(Array.from({ length: CONCURRENT_MAX }, work))
}

/** One target after the other, each once. */
async function handOver(
  parts: HandOverParts,
  replica: Led,
  given: Map<BrokerId, number>,
  untilMs: number,
): Promise<void> {
  const { clock } = parts.loop
  const tried = new Set<BrokerId>()
  while (replica.isLeader && clock.nowMs() < untilMs) {
    const target = targetOf(parts, replica, given, tried)
    if (target === undefined) return
    tried.add(target)
    given.set(target, (given.get(target) ?? 0) + 1)
    try {
      await replica.transfer(target)
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      // A transfer that somebody else ordered is as good.
    }
    while (replica.paxos.transferTarget !== undefined && clock.nowMs() < untilMs)
      await parts.registry.nextLeaderChange(replica.group, LOOK_MS, (run, delayMs) =>
        clock.later(run, delayMs),
      )
  }
}

/** Of those who can lead, the one that got the fewest so far. */
function targetOf(
  { self, heartbeats, loop }: HandOverParts,
  replica: Led,
  given: ReadonlyMap<BrokerId, number>,
  tried: ReadonlySet<BrokerId>,
): BrokerId | undefined {
  let best: BrokerId | undefined
  for (const { broker, inSync } of replica.paxos.progress(loop.clock.moment())) {
    const canLead = inSync && heartbeats.mayLead(broker)
    if (broker === self.broker || !canLead || tried.has(broker)) continue
    if (best === undefined || (given.get(broker) ?? 0) < (given.get(best) ?? 0)) best = broker
  }
  return best
}
