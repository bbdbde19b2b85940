import { crc32 } from 'node:zlib'
import type { Place } from '../../src/types/digest.ts'
import type { BrokerId, GroupId } from '../../src/types/ids.ts'
import { compareBallots, formatBallot, sameBallot, type Ballot } from '../../src/paxos/ballot.ts'
import type { Write } from '../../src/paxos/effects.ts'
import type { Message, MessageKind } from '../../src/paxos/messages.ts'
import type { Checkpoint, Configuration, Entry } from '../../src/paxos/state.ts'
import type { RecoveredGroup } from '../../src/storage/log-store.ts'
import type { AppliedBatch } from '../../src/partition/record-machine.ts'
import type { Judge } from './judge.ts'
import { requestOf, type Request } from './requests.ts'
import { Shadow, Truth } from './truth.ts'

/** What only a store may say that remembers all it said before. */
const VOTES: ReadonlySet<MessageKind> = new Set<MessageKind>([
  'canvass',
  'endorse',
  'prepare',
  'promise',
  'acceptSync',
  'accept',
  'accepted',
  'nack',
  'readAck',
])

/** What became of one slot when it was applied first; every other replica must get the same. */
interface Outcome {
  readonly chain: number
  readonly result: string
  readonly nextOffset: number
}

/** What is demanded of one group by those who use it, beside what `Truth` demands of the protocol. */
class GroupOracle {
  readonly truth: Truth
  readonly outcomes: (Outcome | undefined)[] = [undefined]
  /** Offset of each request that was stored, by the request's id. */
  readonly stored = new Map<number, number>()
  readonly refused = new Set<number>()
  readonly lastSeq = new Map<string, number>()
  /** Slots above what was applied that a start found damaged, by broker, as long as the disk holds no whole copy. */
  readonly damaged = new Map<BrokerId, Set<number>>()
  /** What was written first of each checkpoint. */
  readonly checkpoints = new Map<string, string>()

  constructor(first: Configuration, brokers: readonly BrokerId[], judge: Judge) {
    this.truth = new Truth(first, brokers, judge)
  }
}

/**
 * Independent checks of what brokers write, send, apply and answer. They know nothing of how the core reaches its decisions:
 * they see its effects only.
 */
export class Oracles {
  private readonly groups = new Map<GroupId, GroupOracle>()
  private readonly judge: Judge
  /** How often a replica went on from another's checkpoint. */
  resetCount = 0

  constructor(groups: readonly GroupId[], first: Configuration, brokers: readonly BrokerId[], judge: Judge) {
    this.judge = judge
    for (const group of groups) this.groups.set(group, new GroupOracle(first, brokers, judge))
  }

  of(group: GroupId): GroupOracle {
    return this.groups.get(group) as GroupOracle
  }

  /** Its disk has lost what it had confirmed. */
  hasForgotten(broker: BrokerId): boolean {
    return [...this.groups.values()].some(({ truth }) => truth.hasForgotten(broker))
  }

  /** The highest slot that anybody applied. */
  appliedThrough(group: GroupId): number {
    return this.of(group).outcomes.length - 1
  }

  wrote(broker: BrokerId, group: GroupId, writes: readonly Write[]): void {
    const oracle = this.of(group)
    oracle.truth.wrote(broker, writes)
    for (const write of writes) {
      if (write.kind === 'rows')
        this.mustAgree(oracle, `rows ${write.slot}.${write.part}`, String(crc32(write.bytes)))
      if (write.kind !== 'state') continue
      for (const checkpoint of [write.state.logStart, ...write.state.checkpoints])
        this.mustAgree(oracle, `checkpoint ${checkpoint.slot}`, factsOf(checkpoint))
    }
  }

  /** A checkpoint and the rows beside it are a function of the log: every replica writes the same. */
  private mustAgree(oracle: GroupOracle, what: string, value: string): void {
    const known = oracle.checkpoints.get(what) ?? value
    oracle.checkpoints.set(what, known)
    this.judge.demand(known === value, 'agreement', () => `${what} is ${value} and ${known}`)
  }

  madeDurable(broker: BrokerId, group: GroupId, writes: readonly Write[]): void {
    const { truth, damaged } = this.of(group)
    truth.madeDurable(broker, writes)
    const slots = damaged.get(broker)
    if (slots === undefined) return
    const { through } = truth.durableOf(broker)
    for (const write of writes) {
      if (write.kind === 'rows') continue
      if (write.kind === 'state') {
        const end = Math.min(through, write.state.through)
        for (const slot of slots) if (slot > end || slot < write.state.logStart.slot) slots.delete(slot)
      } else {
        slots.delete(write.entry.slot)
        if (write.kind === 'entry') for (const slot of slots) if (slot > write.entry.slot) slots.delete(slot)
      }
    }
  }

  /**
   * A message leaves its broker. Table of consensus 1.5: what it promises is on disk, what it calls chosen is chosen,
   * and one ballot says one value a slot (I2).
   */
  left(broker: BrokerId, group: GroupId, message: Message): void {
    const { judge } = this
    const { truth } = this.of(group)
    if ('commit' in message) {
      judge.demand(
        message.commit <= truth.chosenThrough,
        'commit',
        () => `broker ${broker} tells ${message.commit}, chosen is ${truth.chosenThrough}`,
      )
    }
    if (message.kind === 'syncChunk') {
      for (const entry of message.entries)
        judge.demand(
          truth.isChosen(entry),
          'chosen',
          () => `broker ${broker} serves slot ${entry.slot}, not chosen`,
        )
    }
    if (message.kind === 'syncReset') {
      const { slot, chain } = message.checkpoint
      const isChosen = truth.chosen[slot - 1]?.entry.chain === chain
      judge.demand(isChosen, 'chosen', () => `broker ${broker} serves a checkpoint at ${slot}, not chosen`)
    }
    if (message.kind === 'accept' || message.kind === 'acceptSync') {
      judge.demand(
        message.ballot.broker === broker,
        'I2',
        () => `broker ${broker} proposes at another's ballot`,
      )
      for (const entry of message.entries) {
        judge.demand(
          truth.isTold(message.ballot, entry),
          'I2',
          () => `broker ${broker} sends another value of its ballot at slot ${entry.slot}`,
        )
      }
    }
    this.mustVote(broker, truth, message)
    this.mustBeDurable(broker, truth, message)
    this.mustBeWhole(broker, group, message)
    judge.demand(!VOTES.has(message.kind) || !truth.isOutside(broker, configOf(message)), 'outsider', () => {
      return `broker ${broker}, which has forgotten what it confirmed, sends ${message.kind}`
    })
  }

  /** Nobody counts on, or is told to have, what the disk cannot give back and may have been the only one to hold. */
  private mustBeWhole(broker: BrokerId, group: GroupId, message: Message): void {
    const slots = this.of(group).damaged.get(broker)
    if (slots === undefined || slots.size === 0) return
    const isCounted =
      (message.kind === 'promise' && !message.nonVoting) ||
      (message.kind === 'accepted' && [...slots].some((slot) => slot <= message.through))
    this.judge.demand(
      !isCounted,
      'durable',
      () =>
        `${message.kind} of broker ${broker} leaves, though slot ${[...slots].join(', ')} is damaged there`,
    )
  }

  /** A broker finds, or is told, that its disk has forgotten: it must be so. */
  excluded(broker: BrokerId): void {
    for (const [group, { truth }] of this.groups)
      this.judge.demand(
        truth.hasForgotten(broker),
        'outsider',
        () => `broker ${broker} is called an outsider of g${group}, and has forgotten nothing`,
      )
  }

  /** Only voters of a ballot's configuration ask for promises, promise or accept in it (consensus 1.12 step 5). */
  private mustVote(broker: BrokerId, truth: Truth, message: Message): void {
    const { kind } = message
    if (kind !== 'prepare' && kind !== 'promise' && kind !== 'accepted' && kind !== 'acceptSync') return
    const { config } = message.ballot
    this.judge.demand(
      truth.isVoter(broker, config),
      'configuration',
      () => `broker ${broker} sends ${kind} in configuration ${config}, in which it does not vote`,
    )
  }

  /** A broker tells what it holds: it is chosen, and gives the offset that it gave everywhere. */
  told(broker: BrokerId, place: Place): void {
    const outcome = this.of(place.group).outcomes[place.slot]
    const isSo =
      place.slot === 0 || (outcome?.chain === place.chain && outcome.nextOffset === place.nextOffset)
    this.judge.demand(isSo, 'I7', () => `broker ${broker} tells another place at slot ${place.slot}`)
  }

  private mustBeDurable(broker: BrokerId, truth: Truth, message: Message): void {
    const durable = truth.durableOf(broker)
    const promised =
      message.kind === 'prepare' || message.kind === 'promise'
        ? message.ballot
        : message.kind === 'nack'
          ? message.promised
          : undefined
    if (promised !== undefined) {
      const isHeld = compareBallots(durable.promised, promised) >= 0
      this.judge.demand(
        isHeld,
        'durable',
        () => `${message.kind} of broker ${broker} leaves before ${formatBallot(promised)} is on disk`,
      )
    }
    if (message.kind !== 'accepted') return
    const order = compareBallots(durable.accepted, message.ballot)
    // A learned entry that differs cuts the log without a higher ballot (I5c): then the writes in memory are as short.
    const isCut = truth.writtenOf(broker).through < message.through
    const isHeld = order > 0 || (order === 0 && (durable.through >= message.through || isCut))
    this.judge.demand(
      isHeld,
      'durable',
      () => `accepted of broker ${broker} leaves before slot ${message.through} is on disk`,
    )
  }

  /**
   * What a start found must be what was durable, and of the persists under way any prefix (effects.ts, H3). `pending` are
   * those that had not been confirmed when the broker stopped.
   */
  recovered(broker: BrokerId, found: RecoveredGroup, pending: readonly (readonly Write[])[]): void {
    const { judge } = this
    const { truth, outcomes } = this.of(found.group)
    if (truth.hasForgotten(broker) && truth.foundAnew(broker, shadowOf(found, truth))) return
    const expected = truth.durableOf(broker).copy()
    let count = 0
    while (!isFound(found, expected) && count < pending.length)
      expected.apply(pending[count++] as readonly Write[], judge, truth.chosen)
    judge.demand(isFound(found, expected), 'recovery', () =>
      describeRecovery(broker, found, truth.durableOf(broker), pending.length),
    )
    for (const writes of pending.slice(0, count)) truth.madeDurable(broker, writes)
    truth.started(broker)
    const { applied } = found
    const damaged = found.damaged.map(({ slot }) => slot as number).filter((slot) => slot > applied.slot)
    this.of(found.group).damaged.set(broker, new Set(damaged))
    const outcome = outcomes[applied.slot]
    const isKnown =
      applied.slot === 0 ||
      (outcome?.nextOffset === applied.nextOffset && outcome.chain === found.chainAtApplied)
    judge.demand(isKnown, 'recovery', () => {
      return `broker ${broker} finds slot ${applied.slot} applied with offset ${applied.nextOffset}, it is ${outcome?.nextOffset}`
    })
  }

  /** Nothing of a group was found: legal only when nothing of it had become durable. */
  foundNothing(broker: BrokerId, group: GroupId): void {
    const { truth } = this.of(group)
    if (truth.foundAnew(broker, new Shadow())) return
    const durable = truth.durableOf(broker)
    this.judge.demand(
      durable.promised.round === 0 && durable.through === 0,
      'recovery',
      () => `broker ${broker} has lost group ${group}`,
    )
    truth.started(broker)
  }

  /** Its replica is gone, durably. */
  dropped(broker: BrokerId, group: GroupId): void {
    this.of(group).truth.dropped(broker)
  }

  applied(broker: BrokerId, group: GroupId, entry: Entry, batch: AppliedBatch, nextOffset: number): void {
    const { judge } = this
    const oracle = this.of(group)
    judge.demand(
      oracle.truth.isChosen(entry),
      'chosen',
      () => `broker ${broker} applies slot ${entry.slot}, it is not chosen`,
    )
    const result = JSON.stringify(batch)
    const known = oracle.outcomes[entry.slot]
    if (known !== undefined) {
      judge.demand(
        known.chain === entry.chain,
        'agreement',
        () => `broker ${broker} applies another value at slot ${entry.slot}`,
      )
      judge.demand(known.result === result && known.nextOffset === nextOffset, 'I7', () => {
        return `broker ${broker} applies slot ${entry.slot} as ${result} up to ${nextOffset}, another ${known.result} up to ${known.nextOffset}`
      })
      return
    }
    judge.demand(
      oracle.outcomes.length === entry.slot,
      'I7',
      () => `slot ${entry.slot} is applied before the slot below it`,
    )
    const before = oracle.outcomes[entry.slot - 1]?.nextOffset ?? 0
    oracle.outcomes.push({ chain: entry.chain, result, nextOffset })
    if (batch.kind === 'appended') this.appended(oracle, entry, before, batch.baseOffset, nextOffset)
    else this.addedNothing(oracle, entry, batch, before === nextOffset)
  }

  /** A state machine goes on from a checkpoint: its offset is what applying all below would have given. */
  resetTo(group: GroupId, { slot, offset }: Checkpoint): void {
    this.resetCount++
    const outcome = this.of(group).outcomes[slot - 1]
    this.judge.demand(outcome?.nextOffset === offset, 'offsets', () => {
      return `the checkpoint at ${slot} says offset ${offset}, it is ${outcome?.nextOffset}`
    })
  }

  private appended(
    oracle: GroupOracle,
    entry: Entry,
    before: number,
    baseOffset: number,
    nextOffset: number,
  ): void {
    const { judge } = this
    const { slot } = entry
    const request = requestOf(entry)
    const count = request?.recordCount ?? 0
    judge.demand(count > 0, 'offsets', () => `slot ${slot} appends records that nobody produced`)
    judge.demand(baseOffset === before && nextOffset === before + count, 'offsets', () => {
      return `slot ${slot} appends ${count} records at ${baseOffset} up to ${nextOffset}, the offset before is ${before}`
    })
    if (request === undefined) return
    const { id, idempotency } = request
    judge.demand(
      !oracle.stored.has(id),
      'exactly-once',
      () => `request ${id} is stored again in slot ${slot}`,
    )
    judge.demand(
      !oracle.refused.has(id),
      'refused',
      () => `request ${id} was refused and is stored in slot ${slot}`,
    )
    oracle.stored.set(id, before)
    if (idempotency?.kind !== 'producer') return
    const last = oracle.lastSeq.get(idempotency.id) ?? -1
    judge.demand(
      idempotency.seq === last + 1,
      'order',
      () => `producer ${idempotency.id} stores ${idempotency.seq} after ${last}`,
    )
    oracle.lastSeq.set(idempotency.id, last + count)
  }

  private addedNothing(oracle: GroupOracle, entry: Entry, batch: AppliedBatch, isUnmoved: boolean): void {
    this.judge.demand(isUnmoved, 'offsets', () => `slot ${entry.slot} adds no record but moves the offset`)
    const request = requestOf(entry)
    if (batch.kind !== 'duplicate' || request === undefined) return
    const first = oracle.stored.get(request.id)
    this.judge.demand(first !== undefined && (batch.baseOffset ?? first) === first, 'exactly-once', () => {
      return `request ${request.id} is called a duplicate at ${batch.baseOffset}, stored at ${first}`
    })
  }

  /** A client is told that its records are stored at this offset. */
  acknowledged(group: GroupId, request: Request, baseOffset: number | undefined): void {
    const stored = this.of(group).stored.get(request.id)
    this.judge.demand(stored !== undefined && (baseOffset ?? stored) === stored, 'acknowledged', () => {
      return `request ${request.id} is acknowledged at ${baseOffset}, stored at ${stored}`
    })
  }

  /** A client is told that nothing was stored, for certain, and does not send the request again. */
  refused(group: GroupId, request: Request): void {
    const oracle = this.of(group)
    this.judge.demand(
      !oracle.stored.has(request.id),
      'refused',
      () => `request ${request.id} is refused and stored`,
    )
    oracle.refused.add(request.id)
  }

  /** What a disk gives back at the end is what was chosen, byte for byte. */
  stored(
    broker: BrokerId,
    group: GroupId,
    { from, to }: { readonly from: number; readonly to: number },
    entries: readonly Entry[],
  ): void {
    const { truth } = this.of(group)
    this.judge.demand(entries.length === to + 1 - from, 'repair', () => {
      return `broker ${broker} gives back ${entries.length} of the slots ${from} to ${to}`
    })
    for (const { slot, chain, body } of entries) {
      const chosen = truth.chosen[slot]?.entry
      const isSame = chosen?.chain === chain && Buffer.compare(chosen.body, body) === 0
      this.judge.demand(isSame, 'repair', () => `broker ${broker} gives back another slot ${slot}`)
    }
  }

  /** A linearizable read covers all that anybody had applied when it was asked (consensus 1.11). */
  read(appliedWhenAsked: number, slot: number): void {
    this.judge.demand(
      slot >= appliedWhenAsked,
      'read',
      () => `a read answers slot ${slot}, slot ${appliedWhenAsked} was applied before it`,
    )
  }
}

function factsOf(checkpoint: Checkpoint): string {
  const { chain, configuration, partCount, offset, lastAppendedAtMs, logBytes } = checkpoint
  // A replica that was made to learn did not know the first configuration by its number.
  return [chain, Math.max(1, configuration.number), partCount, offset, lastAppendedAtMs, logBytes].join(' ')
}

function checkpointSlots({ state }: RecoveredGroup): readonly number[] {
  return [state.logStart, ...state.checkpoints].map(({ slot }) => slot)
}

function isFound(found: RecoveredGroup, expected: Shadow): boolean {
  const { state } = found
  if (!sameBallot(state.promised, expected.promised) || !sameBallot(state.acceptedBallot, expected.accepted))
    return false
  if (expected.configuration !== undefined && state.configuration.number !== expected.configuration)
    return false
  if (throughOf(found) !== expected.through) return false
  if (checkpointSlots(found).join() !== expected.checkpoints.join()) return false
  if (found.chainAtApplied !== expected.chainAt(found.applied.slot)) return false
  return [...found.tail, ...found.damaged].every(({ slot, chain }) => expected.chainAt(slot) === chain)
}

function throughOf({ applied, tail, damaged }: RecoveredGroup): number {
  return applied.slot + tail.length + damaged.filter(({ slot }) => slot > applied.slot).length
}

/** What a start found, as a shadow of its own: what is applied is chosen. */
function shadowOf(found: RecoveredGroup, truth: Truth): Shadow {
  const { state, applied, tail } = found
  const shadow = new Shadow()
  shadow.promised = state.promised
  shadow.accepted = state.acceptedBallot
  for (let slot = 1; slot <= applied.slot; slot++) shadow.entries.push(truth.chosen[slot]?.entry)
  shadow.entries.push(...tail)
  shadow.checkpoints = checkpointSlots(found)
  return shadow
}

function describeRecovery(
  broker: BrokerId,
  found: RecoveredGroup,
  durable: Shadow,
  pendingCount: number,
): string {
  const shape = (promised: Ballot, accepted: Ballot, through: number): string =>
    `promised ${formatBallot(promised)}, accepted ${formatBallot(accepted)}, through ${through}`
  const { state } = found
  return (
    `broker ${broker} finds ${shape(state.promised, state.acceptedBallot, throughOf(found))}; ` +
    `durable was ${shape(durable.promised, durable.accepted, durable.through)}, ${pendingCount} persists were under way`
  )
}

/** The configuration in which a message says something. */
function configOf(message: Message): number {
  if ('ballot' in message) return message.ballot.config
  if ('configNumber' in message) return message.configNumber
  return message.kind === 'nack' ? message.promised.config : 0
}
