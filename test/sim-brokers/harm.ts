import { TRACED } from '../sim/trace.ts'
import type { Random } from '../sim/random.ts'
import type { BrokerProcess, SimulatedBroker } from './broker.ts'
import type { Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { isDispensable, whyNotPlaced } from './settled.ts'
import { PROGRESS_MAX_MS, type Passage } from './passage.ts'
import { sleep, type BrokersScene } from './scene.ts'

const MEND_EVERY_MS = 300
/** Some heartbeats go to and fro. */
const HEARD_MS = 1_000

/** At some time while the faults last one broker's disk is empty all of a sudden. */
export function wipeOnce(
  scene: BrokersScene,
  victim: SimulatedBroker,
  { random, onWiped }: { readonly random: Random; readonly onWiped: () => void },
): void {
  const { queue, swarm } = scene
  queue.after(random.between(0.3, 0.8) * swarm.faultPhaseMs, () => {
    // One that has no cluster yet has nothing to lose.
    if (scene.isHealed || victim.process?.composition.isReady !== true) return
    if (!isDispensable(scene, victim.id)) return
    victim.crash()
    victim.disk.wipe(false)
    scene.trace.note(TRACED.FAULT, victim.id, 0, queue.nowMs, () => `broker ${victim.id} loses its disk`)
    onWiped()
    queue.after(random.exponential(200), () => victim.start())
  })
}

/** An operator gives up a store that takes no part any more, until its broker is a member again with the one that it has. */
export async function mend(clients: Clients, victim: SimulatedBroker, random: Random): Promise<void> {
  const { scene } = clients
  while (!victim.isReady) {
    const at = clients.anyBroker(random)
    const note = (how: string): void =>
      scene.trace.note(
        TRACED.CLIENT,
        at.id,
        how.length,
        scene.queue.nowMs,
        () => `give up the store of broker ${victim.id} at broker ${at.id}: ${how}`,
      )
    try {
      if (at !== victim)
        note((await at.ask(async ({ operations }) => operations.remove(victim.id, true))).state)
    } catch (error) {
      note(refusalOf(error).code)
    }
    await sleep(scene, MEND_EVERY_MS)
  }
}

/**
 * Takes from a disk what it had confirmed, after all others have heard of it: who has heard tells the broker at its start that it
 * has forgotten. With a whole cluster that forgets at once nobody could tell. Resolves with whether anything was lost.
 */
export async function spoil(
  scene: BrokersScene,
  victim: SimulatedBroker,
  by: { readonly harm: 'lie' | 'restore'; readonly random: Random; readonly passage: Passage },
): Promise<boolean> {
  const { harm, random, passage } = by
  const { disk } = victim
  await passage.until(PROGRESS_MAX_MS, () => whyNotPlaced(scene))
  // Brokers may have been removed.
  if (!isDispensable(scene, victim.id)) return false
  victim.crash()
  disk.copy()
  victim.start()
  await passage.until(PROGRESS_MAX_MS, () => whyNotPlaced(scene))
  await passage.pass(HEARD_MS)
  const known = (victim.process as BrokerProcess).store.durableLsn
  await passage.pass(HEARD_MS)
  victim.crash()
  const isSpoiled = await passage.finish(
    harm === 'restore'
      ? disk.restore(known)
      : disk.loseEnd(known - 1 - random.integer(3), random.chance(0.7)),
  )
  const what = `broker ${victim.id} forgets (${harm})${isSpoiled ? '' : ' nothing'}`
  scene.trace.note(TRACED.FAULT, victim.id, what.length, scene.queue.nowMs, () => what)
  const { storeId } = disk
  victim.start()
  if (!isSpoiled) return false
  await passage.until(PROGRESS_MAX_MS, () =>
    disk.storeId !== storeId || victim.process?.composition.engine.vouching.hasForgotten === true
      ? undefined
      : 'nobody has noticed',
  )
  victim.crash()
  victim.start()
  return true
}
