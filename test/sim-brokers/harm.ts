import { TRACED } from '../sim/trace.ts'
import type { Random } from '../sim/random.ts'
import type { SimulatedBroker } from './broker.ts'
import type { Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { sleep, type BrokersScene } from './scene.ts'

const MEND_EVERY_MS = 300

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
