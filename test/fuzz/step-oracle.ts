import assert from 'node:assert/strict'
import { compareBallots, formatBallot, sameBallot, type Ballot } from '../../src/paxos/ballot.ts'
import type { Effect, PaxosEvent, Write } from '../../src/paxos/effects.ts'
import type { Paxos } from '../../src/paxos/paxos.ts'
import type { Entry, StateRecord } from '../../src/paxos/state.ts'
import type { Slot } from '../../src/types/ids.ts'

/** What a replica is seen to be between two steps. */
interface Seen {
  readonly promised: Ballot
  readonly acceptedBallot: Ballot
  readonly commit: Slot
}

function seen({ promised, acceptedBallot, commit }: Paxos): Seen {
  return { promised, acceptedBallot, commit }
}

/**
 * Watches one replica from outside, whatever it is told: I1, I2, I5 and I6 of the protocol, and that what it writes to its
 * disk is what it holds in memory. It keeps its own copy of the disk, by nothing but the meaning of a write.
 */
export class StepOracle {
  readonly #paxos: Paxos
  /** Chain value of what was proposed, by ballot and slot (I2). */
  readonly #proposed = new Map<string, number>()
  readonly #applied: Entry[] = []
  state: StateRecord
  readonly log: Entry[]
  #before: Seen

  constructor(paxos: Paxos, disk: { readonly state: StateRecord; readonly log: readonly Entry[] }) {
    this.#paxos = paxos
    this.state = disk.state
    this.log = [...disk.log]
    this.#applied.push(...disk.log.slice(0, paxos.commit))
    this.#before = seen(paxos)
  }

  /** To be called after each step with what came of it. */
  stepped(event: PaxosEvent, effects: readonly Effect[]): void {
    const before = this.#before
    const now = seen(this.#paxos)
    this.#before = now
    for (const effect of effects) this.#carryOut(effect)
    this.#checkPromise(before, now)
    this.#checkAccepted(event, before, now)
    this.#checkCommit(event, before, now)
    assert.equal(this.log.length, this.#paxos.through, 'The disk ends where the memory ends.')
    assert.equal(this.#applied.length, now.commit, 'All that is chosen is handed to the state machine.')
  }

  #carryOut(effect: Effect): void {
    if (effect.kind === 'persist') for (const write of effect.writes) this.#write(write)
    if (effect.kind === 'apply') for (const entry of effect.entries) this.#apply(entry)
    if (effect.kind !== 'send') return
    const { message } = effect
    if (message.kind !== 'accept' && message.kind !== 'acceptSync') return
    assert.ok(sameBallot(message.ballot, this.#paxos.promised), 'I2: only the own ballot is proposed with.')
    for (const { slot, chain } of message.entries) {
      const name: string = `${formatBallot(message.ballot)} ${slot}`
      assert.equal(this.#proposed.get(name) ?? chain, chain, `I2: one value at slot ${slot}.`)
      this.#proposed.set(name, chain)
    }
  }

  #write(write: Write): void {
    if (write.kind === 'state') {
      const { state } = write
      assert.ok(state.through <= this.log.length, 'A state record promises no more than the disk holds.')
      assert.ok(state.through >= this.#applied.length, 'Nothing chosen is cut off the disk.')
      assert.ok(compareBallots(state.promised, this.state.promised) >= 0, 'I1: on the disk.')
      assert.ok(compareBallots(state.acceptedBallot, this.state.acceptedBallot) >= 0)
      this.state = state
      this.log.length = state.through
      return
    }
    if (write.kind === 'rows') return
    const { entry } = write
    assert.equal(entry.slot, this.log.length + 1, 'The disk has neither gap nor overlap.')
    this.log.push(entry)
  }

  #apply(entry: Entry): void {
    assert.equal(entry.slot, this.#applied.length + 1, 'I7: entries are applied in order, each once.')
    assert.equal(this.log[entry.slot - 1]?.chain, entry.chain, 'What is applied is what the disk holds.')
    this.#applied.push(entry)
  }

  #checkPromise(before: Seen, now: Seen): void {
    assert.ok(compareBallots(now.promised, before.promised) >= 0, 'I1: the promise never falls.')
    assert.ok(compareBallots(now.acceptedBallot, now.promised) <= 0, 'I1: accepted is not above promised.')
    assert.ok(sameBallot(this.state.promised, now.promised), 'A promise is written when it is made.')
    assert.ok(sameBallot(this.state.acceptedBallot, now.acceptedBallot), 'D2: the ballot comes with its log.')
  }

  /** I5: a log is replaced by AcceptSync at the promised ballot, or by leading; chosen entries that come raise nothing. */
  #checkAccepted(event: PaxosEvent, before: Seen, now: Seen): void {
    if (sameBallot(before.acceptedBallot, now.acceptedBallot)) return
    assert.ok(sameBallot(now.acceptedBallot, now.promised), 'Only what was promised is accepted.')
    const isAdoption = event.kind === 'message' && event.message.kind === 'acceptSync'
    const isElection =
      (event.kind === 'message' && event.message.kind === 'promise') || event.kind === 'persisted'
    assert.ok(
      isAdoption || (isElection && this.#paxos.role === 'leader'),
      `I5: ${kindOf(event)} raises no ballot.`,
    )
  }

  /** I6: commit moves by counting, by the leader's word about the log of its ballot, or by chosen entries. */
  #checkCommit(event: PaxosEvent, before: Seen, now: Seen): void {
    assert.ok(now.commit >= before.commit, 'Commit never falls.')
    if (now.commit === before.commit) return
    if (event.kind === 'persisted') {
      assert.equal(this.#paxos.role, 'leader', 'I6: only a leader counts its own disk.')
      return
    }
    assert.equal(event.kind, 'message', `I6: ${kindOf(event)} chooses nothing.`)
    if (event.kind !== 'message') return
    const { message } = event
    switch (message.kind) {
      case 'accepted':
        assert.equal(this.#paxos.role, 'leader', 'I6: only a leader counts.')
        assert.ok(sameBallot(message.ballot, now.acceptedBallot), 'I6: a leader counts at its own ballot.')
        return
      case 'accept':
      case 'acceptSync':
      case 'learn':
        assert.ok(sameBallot(message.ballot, now.acceptedBallot), 'I6: the word of a foreign ballot.')
        assert.ok(now.commit <= message.commit, 'I6: no further than the leader says.')
        return
      case 'syncChunk':
        assert.equal(
          this.log[now.commit - 1]?.chain,
          message.entries[now.commit - message.fromSlot]?.chain,
          'I6: what is learned is what was sent.',
        )
        return
      default:
        assert.fail(`I6: ${message.kind} chooses nothing.`)
    }
  }
}

function kindOf(event: PaxosEvent): string {
  return event.kind === 'message' ? event.message.kind : event.kind
}
