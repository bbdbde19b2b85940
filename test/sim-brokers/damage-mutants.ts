import { DamageWatch } from '../../src/broker/damage-watch.ts'
import { Vouching } from '../../src/broker/vouching.ts'
import { Router } from '../../src/partition/router.ts'
import { JournaledStore } from '../../src/storage/journaled-store.ts'
import { PeerUnreachable } from '../../src/transport/transport.ts'
import { replaced, type BrokersMutant } from './mutant.ts'
import type { BrokersSwarm } from './swarm.ts'

/** One disk rots fast. */
const ROT: Partial<BrokersSwarm> = {
  brokerCount: 3,
  crashEveryMs: 600,
  downMeanMs: 200,
  produceEveryMs: 20,
  rotEveryMs: 60,
  rotAtRestMax: 10,
  scrubEveryMs: 300,
}

/** Bugs in what a broker makes of damage on its disk. */
export const DAMAGE_MUTANTS: readonly BrokersMutant[] = [
  {
    name: 'keeps-silent',
    about: 'A broker that finds damage on its disk does not tell its replicas.',
    swarm: ROT,
    install: () => replaced(DamageWatch.prototype, 'met', () => () => {}),
  },
  {
    name: 'asks-nobody',
    about: 'A broker that cannot read a page asks no other replica for it.',
    swarm: ROT,
    install: () =>
      replaced(
        Router.prototype,
        'at',
        (at) =>
          function (this: Router, broker, group, kind, ...rest) {
            if (kind === 'read') return Promise.reject(new PeerUnreachable('Nobody is asked.'))
            return at.call(this, broker, group, kind, ...rest)
          },
      ),
  },
  {
    name: 'never-noticed',
    about: 'A broker that is told that its disk has forgotten goes on as if nothing were.',
    swarm: { brokerCount: 3, harm: 'restore' },
    install: () => replaced(Vouching.prototype, 'forgotten', () => () => {}),
  },
  {
    name: 'starts-unaware',
    about: 'A start takes damaged entries for whole ones.',
    swarm: ROT,
    install: () =>
      replaced(
        JournaledStore.prototype,
        'recover',
        (recover) =>
          async function (this: JournaledStore) {
            return (await recover.call(this)).map((group) => ({ ...group, damaged: [] }))
          },
      ),
  },
]
