import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import { Detector } from '../../src/detector/detector.ts'
import type { Heartbeat, SeenStore, StoreStart } from '../../src/detector/heartbeat.ts'
import { hasShrunk, withStart } from '../../src/detector/starts.ts'
import { Witness } from '../../src/detector/witness.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { ADMITTED } from '../support/admitted.ts'
import type { GroupHost } from './group-host.ts'
import type { Mutant } from './mutants.ts'
import type { Scene } from './scene.ts'

export interface HeartbeatHostOptions {
  readonly self: BrokerId
  readonly bootId: string
  readonly scene: Scene
  readonly store: JournaledStore
  /** The newest starts of its store, with this one. */
  readonly starts: readonly StoreStart[]
  readonly hosts: ReadonlyMap<GroupId, GroupHost>
  /** What earlier processes of this broker noted of stores. */
  readonly remembered: readonly SeenStore[]
  remember(seen: readonly SeenStore[]): void
  nowMs(): number
}

/** Drives the failure detector and the witness of one process, as `src/partition/heartbeats.ts` does. */
export class HeartbeatHost {
  readonly detector: Detector
  readonly witness: Witness
  private readonly options: HeartbeatHostOptions

  constructor(options: HeartbeatHostOptions) {
    this.options = options
    const { self, bootId, scene, store } = options
    this.detector = new Detector({ self, bootId, tuning: scene.swarm })
    this.detector.setPeers(
      [...scene.brokers.keys()].filter((id) => id !== self),
      options.nowMs(),
    )
    this.witness = new Witness({ storeId: store.identity.storeId, bootId })
    this.witness.began(options.starts, options.remembered)
    if (store.hasForgotten || hasShrunk(options.starts)) this.witness.exclude()
  }

  tellStanding(): void {
    const { self, scene, hosts } = this.options
    const { standing } = this.witness
    if (standing.isOutsider) scene.oracles.excluded(self)
    for (const host of hosts.values()) this.tellStandingTo(host)
  }

  tellStandingTo(host: GroupHost): void {
    const { standing } = this.witness
    host.step(this.options.scene.mutant.isUnasked === true ? ADMITTED : { kind: 'standing', standing })
  }

  sendAll(): void {
    const { scene, store, self } = this.options
    this.detector.setSelf({ oldestPendingMs: store.usage().oldestPendingMs, draining: false, full: false })
    for (const peer of scene.brokers.keys()) if (peer !== self) this.send(peer)
  }

  send(to: BrokerId): void {
    const { scene, self } = this.options
    const report = this.witness.report(to, this.toldLsn)
    if (report === undefined) return
    const heartbeat: Heartbeat = { ...this.detector.heartbeat(to), store: report }
    scene.network.send(self, to, () => scene.brokers.get(to)?.receiveHeartbeat(self, heartbeat))
  }

  /** In the simulator what is seen is noted at once: so it is known what a majority remembers. */
  receive(from: BrokerId, heartbeat: Heartbeat): void {
    const { witness, detector, options } = this
    const isNewProcess = witness.peer(from)?.bootId !== heartbeat.bootId
    const hasStandingChanged = witness.onHeartbeat(from, heartbeat)
    const seen = witness.takeNews()
    if (seen !== undefined) options.remember(seen)
    detector.onHeartbeat(from, heartbeat, options.nowMs())
    if (isNewProcess) this.send(from)
    if (hasStandingChanged) this.tellStanding()
  }

  private get toldLsn(): number {
    const { scene, store, hosts } = this.options
    if (scene.mutant.isLsnEarly !== true) return store.durableLsn
    let waiting = 0
    for (const host of hosts.values()) waiting += host.pending.length
    return store.durableLsn + waiting
  }
}

/** As `src/broker/vouching.ts` does: the starts of a store, noted before anybody hears of the newest. */
export async function noteStart(
  { notes, identity, recoveredLsn }: JournaledStore,
  bootId: string,
  { forgetsStarts }: Mutant,
): Promise<readonly StoreStart[]> {
  const before = forgetsStarts === true ? undefined : await notes.read('starts')
  const noted = withStart(before, identity.storeId, { bootId, recovered: recoveredLsn })
  await notes.write('starts', noted)
  return noted.starts
}
