import { NO_BALLOT, type Ballot } from '../../src/paxos/ballot.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { Paxos } from '../../src/paxos/paxos.ts'
import { ENTRY_KIND, type Entry } from '../../src/paxos/state.ts'
import { brokerId, slot } from '../../src/types/ids.ts'
import { logOf } from '../paxos/lone-replica.ts'
import type { Random } from '../sim/random.ts'

/** The replica that strangers speak to. */
export const SELF = 2
const SLOTS_MAX = 6
/** Leaves room for the few slots that follow it in a message. */
const SLOT_MAX = Number.MAX_SAFE_INTEGER - 100

/** Several logs that part at some slot, so that what strangers say fits together often enough to be believed. */
function branches(random: Random): readonly (readonly Entry[])[] {
  const stem = logValues(random, 1 + random.integer(3), 1)
  return Array.from({ length: 4 }, (_, place) => {
    const kept = stem.slice(0, random.integer(stem.length + 1))
    const own = logValues(random, random.integer(4), 4 + place)
    return logOf(...kept, ...own)
  })
}

type Value = readonly [text: string, origin: Ballot]

function logValues(random: Random, count: number, roundMin: number): Value[] {
  let round = roundMin
  return Array.from({ length: count }, () => {
    if (random.chance(0.3)) round++
    return [`v${random.integer(1000)}`, { config: 1, round, broker: brokerId(1 + (round % 3)) }] as const
  })
}

/** Draws messages that are well formed and seldom true. */
export class Stranger {
  readonly random: Random
  readonly size: number
  readonly logs: readonly (readonly Entry[])[]

  constructor(random: Random, size: number) {
    this.random = random
    this.size = size
    this.logs = branches(random)
  }

  voter(): number {
    return 1 + this.random.integer(this.size + 1)
  }

  slot(): number {
    return this.random.chance(0.01) ? SLOT_MAX : this.random.integer(SLOTS_MAX + 2)
  }

  ballot(broker = this.voter()): Ballot {
    const { random } = this
    if (random.chance(0.05)) return NO_BALLOT
    const round = random.chance(0.002) ? 0xffffffff : 1 + random.integer(12)
    return { config: random.chance(0.05) ? 2 : 1, round, broker: brokerId(broker) }
  }

  /** A stretch of one of the logs, whole or with something wrong in the middle. */
  entries(): { readonly base: number; readonly chainAtBase: number; readonly entries: readonly Entry[] } {
    const { random } = this
    const log = random.pick(this.logs)
    const base = random.integer(log.length + 1)
    const part = log.slice(base, base + random.integer(log.length - base + 1))
    const chainAtBase = random.chance(0.1) ? random.integer(1000) : (log[base - 1]?.chain ?? 0)
    if (part.length > 1 && random.chance(0.1)) part.splice(random.integer(part.length), 1)
    const spoiled = random.chance(0.1) ? random.integer(part.length) : -1
    const entries = part.map((entry, place) => (place === spoiled ? this.#spoiled(entry) : entry))
    return { base: random.chance(0.1) ? this.slot() : base, chainAtBase, entries }
  }

  #spoiled(entry: Entry): Entry {
    const { random } = this
    const changes: readonly Partial<Entry>[] = [
      { chain: random.integer(2 ** 32) },
      { slot: slot(this.slot()) },
      { origin: this.ballot() },
      { recordCount: random.integer(5) },
      { kind: ENTRY_KIND.STOPSIGN },
    ]
    return { ...entry, ...random.pick(changes) }
  }

  /** The ballot that a message is about: seldom any, mostly one that means something to the replica. */
  about(from: number, { promised, ballot }: Paxos): Ballot {
    const { random } = this
    const turn = random.integer(8)
    if (turn < 4) return ballot.round > 0 && ballot.broker === SELF ? ballot : promised
    if (turn === 4) return { ...promised, round: promised.round + 1, broker: brokerId(from) }
    return this.ballot(random.chance(0.2) ? SELF : from)
  }

  message(from: number, paxos: Paxos): Message {
    const { random } = this
    const ballot = this.about(from, paxos)
    const attempt = random.integer(4)
    const [commit, through, accepted] = [slot(this.slot()), slot(this.slot()), this.ballot()]
    const { base, chainAtBase, entries } = this.entries()
    const number = random.chance(0.9) ? 1 : 2
    const messages: readonly Message[] = [
      { kind: 'canvass', configNumber: number, commit, accepted, through, attempt },
      { kind: 'endorse', configNumber: number, attempt, commit },
      { kind: 'refuse', configNumber: number, attempt, commit, promised: accepted },
      { kind: 'prepare', ballot, accepted, through, commit },
      {
        kind: 'promise',
        ballot,
        accepted,
        through: slot(base + entries.length),
        commit,
        base: slot(base),
        suffix: entries,
        nonVoting: random.chance(0.1),
        tooFar: random.chance(0.1),
      },
      { kind: 'prepareRequest', ballot },
      { kind: 'acceptSync', ballot, base: slot(base), chainAtBase, entries, commit },
      { kind: 'accept', ballot, previous: slot(base), entries, commit },
      { kind: 'accepted', ballot, through, commit },
      { kind: 'nack', promised: ballot },
      { kind: 'learn', ballot, commit },
      { kind: 'syncRequired', ballot, commit },
      {
        kind: 'syncRequest',
        fromSlot: slot(this.slot()),
        resetSlot: slot(this.slot()),
        part: random.integer(3),
      },
      { kind: 'syncChunk', fromSlot: slot(base + 1), entries, commit },
      { kind: 'resign', ballot },
      { kind: 'readProbe', ballot, readId: random.integer(9) },
      { kind: 'readAck', ballot, readId: random.integer(9) },
      { kind: 'transferNow', ballot, lastSlot: commit, transferId: 1 },
    ]
    return random.pick(messages)
  }
}
