import { Partition } from '../../src/partition/partition.ts'
import { RecordMachine } from '../../src/partition/record-machine.ts'
import { replaced, UPHEAVAL, type BrokersMutant } from './mutant.ts'
import type { BrokersSwarm } from './swarm.ts'

/** Operators trim often. */
const TRIMS: Partial<BrokersSwarm> = { trimEveryMs: 40, produceEveryMs: 20, retentionMs: 1_000 }
/** The first byte of the row that holds where a record machine begins to show its records. */
const SHOWN_ROW = 3

export const TRIM_MUTANTS: readonly BrokersMutant[] = [
  {
    name: 'trims-beyond',
    about: 'A trim hides one record more than it was asked to.',
    swarm: TRIMS,
    install: () => {
      const { prototype } = RecordMachine
      const original = Object.getOwnPropertyDescriptor(prototype, 'shownFrom')!
      const shownFrom = original.get as (this: RecordMachine) => number
      Object.defineProperty(prototype, 'shownFrom', {
        ...original,
        get(this: RecordMachine) {
          const shown = shownFrom.call(this)
          return shown === 0 ? 0 : Math.min(shown + 1, this.nextOffset)
        },
      })
      return () => Object.defineProperty(prototype, 'shownFrom', original)
    },
  },
  {
    name: 'trims-alone',
    about: 'A leader answers a trim before the log holds it.',
    swarm: { ...UPHEAVAL, ...TRIMS },
    install: () =>
      replaced(
        Partition.prototype,
        'trim',
        (trim) =>
          function (this: Partition, beforeOffset, timeoutMs) {
            trim.call(this, beforeOffset, timeoutMs).catch(() => {})
            return Promise.resolve(beforeOffset)
          },
      ),
  },
  {
    name: 'shows-again',
    about: 'A start forgets what an operator trimmed, as far as the log still holds it.',
    swarm: { ...UPHEAVAL, ...TRIMS },
    searchedFrom: 110,
    install: () =>
      replaced(
        RecordMachine.prototype,
        'restore',
        (restore) =>
          function (this: RecordMachine, rows, applied) {
            const others = rows.filter(({ key }) => key[0] !== SHOWN_ROW)
            restore.call(this, others, applied)
          },
      ),
  },
]
