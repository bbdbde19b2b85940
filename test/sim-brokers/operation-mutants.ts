import { OperationRounds } from '../../src/controller/operation-rounds.ts'
import { Hosting } from '../../src/partition/hosting.ts'
import { Router } from '../../src/partition/router.ts'
import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import { replaced, type BrokersMutant } from './mutant.ts'
import type { BrokersSwarm } from './swarm.ts'

/** Replicas move all the time, and controllers die over it. */
const MOVES: Partial<BrokersSwarm> = {
  brokerCount: 3,
  joinerCount: 2,
  operateEveryMs: 100,
  controllerCrashEveryMs: 700,
  downMeanMs: 200,
  produceEveryMs: 20,
}

/** Bugs in long changes. */
export const OPERATION_MUTANTS: readonly BrokersMutant[] = [
  {
    name: 'left-lying',
    about:
      'One process alone carries operations on; when another broker is the controller they lie where they are.',
    swarm: MOVES,
    install: () => {
      let isFirst = true
      return replaced(
        OperationRounds.prototype,
        'start',
        (start) =>
          function (this: OperationRounds) {
            if (isFirst) start.call(this)
            isFirst = false
          },
      )
    },
  },
  {
    name: 'keeps-copies',
    about: 'A broker keeps the replica that is placed elsewhere now.',
    swarm: MOVES,
    install: () =>
      replaced(
        Hosting.prototype,
        'placed',
        (placed) =>
          function (this: Hosting, topic, placement) {
            if (placement.learners.length > 0) placed.call(this, topic, placement)
          },
      ),
  },
  {
    name: 'believes-itself',
    about: 'A broker whose replica moved away believes whoever says that it leads.',
    swarm: MOVES,
    install: () => {
      const led = new WeakMap<Router, Map<GroupId, BrokerId>>()
      return replaced(
        Router.prototype,
        'leaderOf',
        (leaderOf) =>
          function (this: Router, group) {
            const last = led.get(this) ?? new Map<GroupId, BrokerId>()
            led.set(this, last)
            const leader = leaderOf.call(this, group) ?? last.get(group)
            if (leader !== undefined) last.set(group, leader)
            return leader
          },
      )
    },
  },
]
