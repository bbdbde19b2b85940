import { crc32 } from 'node:zlib'
import type { Ballot } from '../../src/paxos/ballot.ts'
import type { Effect, PaxosEvent, Write } from '../../src/paxos/effects.ts'
import { chainEntry, FIRST_CHAIN } from '../../src/paxos/entry.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { DEFAULT_TUNING, type PaxosTuning } from '../../src/paxos/options.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import { Rules } from '../../src/paxos/rules.ts'
import { ENTRY_KIND, initialState, type Entry, type StateRecord } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { configurationOf, replicaOf } from './virtual-cluster.ts'
import { ADMITTED } from '../support/admitted.ts'

/** A ballot of the first configuration. */
export function ballot(round: number, broker: number): Ballot {
  return { config: 1, round, broker: brokerId(broker) }
}

/** A log from slot 1 on: each value with the ballot that proposed it. */
export function logOf(...values: readonly (readonly [text: string, origin: Ballot])[]): readonly Entry[] {
  const entries: Entry[] = []
  for (const [text, origin] of values) {
    const body = new TextEncoder().encode(text)
    const chainBefore = entries.at(-1)?.chain ?? FIRST_CHAIN
    const facts = {
      slot: slot(entries.length + 1),
      origin,
      kind: ENTRY_KIND.DATA,
      recordCount: 1,
      crc: crc32(body),
    }
    entries.push(chainEntry(chainBefore, facts, body, crc32))
  }
  return entries
}

/** One replica alone, its peers played by the test: for rules of one message. */
export class LoneReplica {
  readonly paxos: Paxos
  nowMs = 1000
  effects: readonly Effect[] = []

  constructor(options: {
    readonly self?: number
    readonly size?: number
    readonly state?: Partial<StateRecord>
    readonly log?: readonly Entry[]
    readonly commit?: number
    readonly tuning?: Partial<PaxosTuning>
    /** Other rules than the real ones, to show that what is asserted would notice. */
    readonly rules?: Rules
  }) {
    const { self = 2, size = 3, log = [], commit = 0, rules = new Rules() } = options
    const through = slot(log.length)
    class PaxosWithRules extends Paxos {
      protected override rules(): Rules {
        return rules
      }
    }
    this.paxos = new PaxosWithRules(
      {
        self: replicaOf(self),
        tuning: { ...DEFAULT_TUNING, ...options.tuning },
        checksum: crc32,
        bootNumber: 1,
      },
      {
        state: { ...initialState(configurationOf(size)), through, ...options.state },
        commit: slot(commit),
        chainAtCommit: log[commit - 1]?.chain ?? FIRST_CHAIN,
        tail: log.slice(commit),
      },
    )
    this.step(ADMITTED)
    this.effects = []
  }

  step(event: PaxosEvent): readonly Effect[] {
    this.effects = this.paxos.step(event, { nowMs: this.nowMs, random: 0 })
    return this.effects
  }

  /** Hands over a message and returns what is sent back to its sender. */
  receive(from: number, message: Message): readonly Message[] {
    this.step({ kind: 'message', from: brokerId(from), message })
    return this.sentTo(from)
  }

  sentTo(to: number): readonly Message[] {
    return this.effects.flatMap((effect) =>
      effect.kind === 'send' && effect.to === to ? [effect.message] : [],
    )
  }

  /** Everything that the last event wrote, and the id of the last persist of it. */
  get written(): readonly Write[] {
    return this.effects.flatMap((effect) => (effect.kind === 'persist' ? effect.writes : []))
  }

  get persistId(): number {
    return Math.max(0, ...this.effects.map((effect) => (effect.kind === 'persist' ? effect.id : 0)))
  }

  /** What the first message of the last event waits for. */
  get gate(): number | undefined {
    return this.effects.find((effect) => effect.kind === 'send')?.after
  }

  get applied(): readonly Entry[] {
    return this.effects.flatMap((effect) => (effect.kind === 'apply' ? effect.entries : []))
  }
}
