import type { Effect } from '../../src/paxos/effects.ts'
import { Detector } from '../../src/detector/detector.ts'
import { SynodError } from '../../src/errors.ts'
import { FormerRequests } from '../../src/controller/former-requests.ts'
import { WaitingRoom } from '../../src/controller/waiting-room.ts'
import { Heartbeats } from '../../src/partition/heartbeats.ts'
import { Partition } from '../../src/partition/partition.ts'
import { Proposals } from '../../src/partition/proposals.ts'
import { RecordMachine } from '../../src/partition/record-machine.ts'
import { Replica } from '../../src/partition/replica.ts'
import { Router } from '../../src/partition/router.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import { JournaledStore } from '../../src/storage/journaled-store.ts'
import { groupId } from '../../src/types/ids.ts'
import { indexBeforeJournal } from '../sim/store-mutants.ts'
import { DAMAGE_MUTANTS } from './damage-mutants.ts'
import { replaced, UPHEAVAL, type BrokersMutant } from './mutant.ts'
import type { BrokersSwarm } from './swarm.ts'
import { OPERATION_MUTANTS } from './operation-mutants.ts'
import { TRIM_MUTANTS } from './trim-mutants.ts'

/** Power fails everywhere at once, again and again. */
const BLACKOUTS: Partial<BrokersSwarm> = {
  brokerCount: 3,
  crashEveryMs: 400,
  togetherRate: 0.8,
  downMeanMs: 100,
  diskMeanMs: 20,
  diskMaxMs: 200,
  produceEveryMs: 20,
}
export const MUTANTS: readonly BrokersMutant[] = [
  ...TRIM_MUTANTS,
  ...DAMAGE_MUTANTS,
  ...OPERATION_MUTANTS,
  {
    name: 'answers-first',
    about: 'A partition acknowledges what it has only begun to store.',
    install: () =>
      replaced(
        Partition.prototype,
        'append',
        (append) =>
          async function (this: Partition, body, options) {
            const baseOffset = this.highWatermark
            append.call(this, body, options).catch(() => {})
            return { baseOffset, recordCount: 1, appendedAtMs: 0, duplicate: false }
          },
      ),
  },
  {
    name: 'serves-early',
    about: 'What waits for the disk leaves before it is there.',
    swarm: BLACKOUTS,
    install: () =>
      replaced(
        Paxos.prototype,
        'step',
        (step) =>
          function (this: Paxos, event, moment) {
            return step
              .call(this, event, moment)
              .map((effect): Effect =>
                effect.kind === 'send' || effect.kind === 'serve' ? { ...effect, after: 0 } : effect,
              )
          },
      ),
  },
  {
    name: 'disk-lies',
    about: 'The disk says that the journal is synced, and has synced nothing.',
    swarm: BLACKOUTS,
    isDiskLying: true,
  },
  {
    name: 'index-ahead',
    about: 'The index hears of a record before the journal holds it.',
    swarm: BLACKOUTS,
    install: indexBeforeJournal,
  },
  {
    name: 'forgets-at-start',
    about: 'A start forgets what the partition knew of its producers.',
    swarm: UPHEAVAL,
    install: () =>
      replaced(
        RecordMachine.prototype,
        'restore',
        (restore) =>
          function (this: RecordMachine, _rows, applied) {
            restore.call(this, [], applied)
          },
      ),
  },
  {
    name: 'forgets-at-takeover',
    about: 'A leader that takes over forgets what the partition knew of its producers.',
    swarm: UPHEAVAL,
    install: () =>
      replaced(
        Replica.prototype,
        'takeTurn',
        (takeTurn) =>
          function (this: Replica<unknown>, moment) {
            const wasLeader = this.isLeader
            const next = takeTurn.call(this, moment)
            const { machine, appliedSlot } = this
            const { nextOffset, lastAppendedAtMs } = machine
            if (!wasLeader && this.isLeader && machine instanceof RecordMachine)
              machine.restore([], { slot: appliedSlot, nextOffset, lastAppendedAtMs })
            return next
          },
      ),
  },
  {
    name: 'certain-no',
    about: 'Who asked for something that is not decided in time is told that it was not done.',
    swarm: {
      brokerCount: 3,
      producerCount: 9,
      produceEveryMs: 20,
      produceTimeoutMs: 600,
      partitionEveryMs: 500,
      partitionMeanMs: 900,
      heldRate: 1,
    },
    install: () =>
      replaced(
        Proposals.prototype,
        'add',
        (add) =>
          function (this: Proposals<unknown>, waiting) {
            add.call(this, {
              ...waiting,
              reject: (error) =>
                waiting.reject(
                  error.code === 'outcome-unknown' ? new SynodError('overloaded', 'No.') : error,
                ),
            })
          },
      ),
  },
  {
    name: 'joined-as-one',
    about: 'All who were stored in one slot are told the place of the first of them.',
    swarm: { brokerCount: 3, producerCount: 9, produceEveryMs: 5 },
    install: () =>
      replaced(
        Proposals.prototype,
        'takeQueue',
        (takeQueue) =>
          function (this: Proposals<unknown>) {
            const first = new Map<number, unknown>()
            return takeQueue.call(this).map((waiting) => ({
              ...waiting,
              resolve: ({ result, slot }) => {
                if (!first.has(slot)) first.set(slot, result)
                waiting.resolve({ result: first.get(slot), slot })
              },
            }))
          },
      ),
  },
  {
    name: 'sends-twice',
    about: 'The router sends again what may have been done, though doing it twice does harm.',
    swarm: { ...UPHEAVAL, laneBreakEveryMs: 30 },
    install: () =>
      replaced(
        Router.prototype,
        'atLeader',
        (atLeader) =>
          function (this: Router, routed, call, timeoutMs) {
            return atLeader.call(this, routed, { ...call, changes: 'once' }, timeoutMs) as never
          },
      ),
  },
  {
    name: 'frees-another',
    about: 'Deleting a topic frees the data of another group.',
    swarm: { administratorCount: 2, administerEveryMs: 100, crashEveryMs: 500 },
    install: () =>
      replaced(
        JournaledStore.prototype,
        'deleteGroup',
        (deleteGroup) =>
          function (this: JournaledStore, group) {
            return deleteGroup.call(this, groupId(Math.max(1, group - 1)))
          },
      ),
  },
  {
    name: 'reads-beyond',
    about: 'The high watermark is one record too far.',
    install: () => {
      const { prototype } = Partition
      const original = Object.getOwnPropertyDescriptor(prototype, 'highWatermark')!
      Object.defineProperty(prototype, 'highWatermark', {
        ...original,
        get(this: Partition) {
          return this.replica.machine.nextOffset + 1
        },
      })
      return () => Object.defineProperty(prototype, 'highWatermark', original)
    },
  },
  {
    name: 'not-learned',
    about: 'A broker answers a change of topics before it knows of it itself.',
    swarm: { administratorCount: 2, administerEveryMs: 100 },
    install: () => replaced(WaitingRoom.prototype, 'reached', () => () => Promise.resolve()),
  },
  {
    name: 'forgets-requests',
    about: 'A create or alter that is sent again is known only while nobody changed the topic since.',
    swarm: {
      brokerCount: 3,
      administratorCount: 5,
      administerEveryMs: 50,
      crashEveryMs: 500,
      resignEveryMs: 300,
      laneBreakEveryMs: 20,
    },
    searchedFrom: 245,
    install: () => replaced(FormerRequests.prototype, 'get', () => () => undefined),
  },
  {
    name: 'no-barrier',
    about: 'A leader says what there is without asking anybody whether it still leads.',
    swarm: {
      ...UPHEAVAL,
      partitionEveryMs: 400,
      partitionMeanMs: 800,
      readEveryMs: 30,
      administratorCount: 2,
    },
    install: () =>
      replaced(
        Replica.prototype,
        'readBarrier',
        () =>
          function (this: Replica<unknown>) {
            return Promise.resolve(this.appliedSlot)
          },
      ),
  },
  {
    name: 'drops-rows',
    about: 'Now and then what a partition knows of its producers does not reach the index.',
    install: () => {
      let count = 0
      return replaced(
        RecordMachine.prototype,
        'takeRows',
        (takeRows) =>
          function (this: RecordMachine) {
            const rows = takeRows.call(this)
            return ++count % 5 === 0 ? [] : rows
          },
      )
    },
  },
  {
    name: 'never-stalled',
    about: 'A broker whose disk hangs goes on to say that all is well.',
    swarm: { brokerCount: 3, absence: 'stalled' },
    install: () =>
      replaced(
        Detector.prototype,
        'setSelf',
        (setSelf) =>
          function (this: Detector, self) {
            setSelf.call(this, { ...self, oldestPendingMs: 0 })
          },
      ),
  },
  {
    name: 'leads-without-room',
    about: 'A broker whose disk is full refuses writes and keeps what it leads.',
    swarm: { brokerCount: 3, absence: 'full' },
    install: () => replaced(Heartbeats.prototype, 'mayLead', () => () => false),
  },
]
