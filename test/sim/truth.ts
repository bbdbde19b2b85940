import type { BrokerId, Replica, StoreId } from '../../src/types/ids.ts'
import { compareBallots, formatBallot, NO_BALLOT, sameBallot, type Ballot } from '../../src/paxos/ballot.ts'
import type { Write } from '../../src/paxos/effects.ts'
import { FIRST_CHAIN } from '../../src/paxos/entry.ts'
import type { Configuration, Entry, StateRecord } from '../../src/paxos/state.ts'
import { configurationOf } from '../../src/paxos/stop-sign.ts'
import type { Judge } from './judge.ts'

/** A replica's log as its writes make it: of the writes handed to the store, or of those that are durable. */
export class Shadow {
  promised: Ballot = NO_BALLOT
  accepted: Ballot = NO_BALLOT
  /** Undefined before the first record: a start may find that one though nobody was told that it is durable. */
  configuration: number | undefined
  /** By slot; index 0 is unused. */
  entries: (Entry | undefined)[] = [undefined]
  /** Slots of the checkpoint at which the log begins and of those behind it. */
  checkpoints: readonly number[] = [1]

  get through(): number {
    return this.entries.length - 1
  }

  chainAt(slot: number): number | undefined {
    return slot === 0 ? FIRST_CHAIN : this.entries[slot]?.chain
  }

  /** A state record cuts the log, an entry drops what stands above its slot (consensus 1.3, rule J5). */
  apply(writes: readonly Write[], judge: Judge, chosen: readonly (Chosen | undefined)[]): void {
    for (const write of writes) {
      if (write.kind === 'state') {
        this.promised = write.state.promised
        this.accepted = write.state.acceptedBallot
        this.configuration = write.state.configuration.number
        this.begin(write.state, judge, chosen)
        if (write.state.through < this.through) this.entries.length = write.state.through + 1
      } else if (write.kind === 'repair') {
        const { slot, chain } = write.entry
        judge.demand(
          this.entries[slot]?.chain === chain,
          'repair',
          () => `slot ${slot} is repaired by another value`,
        )
      } else if (write.kind === 'entry') {
        const { slot } = write.entry
        judge.demand(slot <= this.through + 1, 'holes', () => `slot ${slot} is written above ${this.through}`)
        this.entries.length = slot
        this.entries.push(write.entry)
      }
    }
  }

  /** What is trimmed stays known here. A log that goes on from a checkpoint holds by it all that is chosen below. */
  private begin(
    { logStart, checkpoints }: StateRecord,
    judge: Judge,
    chosen: readonly (Chosen | undefined)[],
  ): void {
    this.checkpoints = [logStart.slot, ...checkpoints.map(({ slot }) => slot)]
    const last = logStart.slot - 1
    const below = chosen[last]?.entry.chain ?? (last === 0 ? FIRST_CHAIN : undefined)
    judge.demand(
      below === logStart.chain,
      'chosen',
      () => `the checkpoint at ${logStart.slot} is not of what is chosen`,
    )
    if (this.chainAt(last) === logStart.chain) return
    this.entries = chosen.slice(0, logStart.slot).map((one) => one?.entry)
  }

  copy(): Shadow {
    const copy = new Shadow()
    copy.promised = this.promised
    copy.accepted = this.accepted
    copy.configuration = this.configuration
    copy.entries = this.entries.slice()
    copy.checkpoints = this.checkpoints
    return copy
  }
}

/** The log that the leader of one ballot told others: at most one value a slot (I2). */
interface Ledger {
  readonly ballot: Ballot
  /** What phase 1 made it adopt ends here; own proposals follow without gap. */
  readonly adopted: number
  readonly chains: Map<number, number>
  /** How far each voter's store ever held it on disk at this ballot: what it accepts later takes no vote back. */
  readonly held: Map<string, number>
  /** The entries that were held and are not chosen yet. */
  readonly entries: Map<number, Entry>
}

export interface Chosen {
  readonly entry: Entry
  /** The ballot at which a majority had it on disk. */
  readonly ballot: Ballot
}

/**
 * What is true of one group, seen from above: it knows what is on every disk, so it knows that a slot is chosen before
 * any replica does. The rules I1 to I4 and I8 of consensus 1.8 are checked here, at the moment when they would break.
 */
export class Truth {
  readonly chosen: (Chosen | undefined)[] = [undefined]
  private readonly written = new Map<BrokerId, Shadow>()
  private readonly durable = new Map<BrokerId, Shadow>()
  /**
   * Brokers whose disk has forgotten: what they write is held against it, and counts for nothing unless it is another store
   * that was given a vote.
   */
  private readonly outside = new Map<
    BrokerId,
    { written: Shadow; durable: Shadow; isNew: boolean; store: StoreId | undefined }
  >()
  private readonly ledgers = new Map<string, Ledger>()
  /** By number; a configuration is here when its stop-sign is chosen. */
  private readonly configurations = new Map<number, Configuration>()
  private readonly judge: Judge
  /** The configuration whose stop-sign was chosen last. */
  newest: Configuration

  constructor(first: Configuration, brokers: readonly BrokerId[], judge: Judge) {
    this.judge = judge
    this.newest = first
    this.configurations.set(first.number, first)
    for (const broker of brokers) {
      this.written.set(broker, new Shadow())
      this.durable.set(broker, new Shadow())
    }
  }

  votersOf(configuration: number): readonly Replica[] {
    return this.configurations.get(configuration)?.voters ?? []
  }

  isVoter(broker: BrokerId, configuration: number): boolean {
    return this.votersOf(configuration).some((voter) => voter.broker === broker)
  }

  get chosenThrough(): number {
    return this.chosen.length - 1
  }

  durableOf(broker: BrokerId): Shadow {
    return this.outside.get(broker)?.durable ?? (this.durable.get(broker) as Shadow)
  }

  writtenOf(broker: BrokerId): Shadow {
    return this.outside.get(broker)?.written ?? (this.written.get(broker) as Shadow)
  }

  /**
   * The disk of a broker loses something. What it confirmed before counts as it did, because it votes no more; whatever it
   * is found to hold now is taken as it is.
   */
  forgets(broker: BrokerId, replacedBy?: StoreId): void {
    this.outside.set(broker, { written: new Shadow(), durable: new Shadow(), isNew: true, store: replacedBy })
  }

  /** A store that came in place of a lost one has a vote of its own in this configuration. */
  private isGivenVote({ broker, store }: Replica, configuration: number): boolean {
    return this.votersOf(configuration).some((voter) => voter.broker === broker && voter.store === store)
  }

  /** It may say nothing that counts: it has forgotten, and nobody gave its new store a vote in the configuration. */
  isOutside(broker: BrokerId, configuration: number): boolean {
    const outside = this.outside.get(broker)
    if (outside === undefined) return false
    return outside.store === undefined || !this.isGivenVote({ broker, store: outside.store }, configuration)
  }

  hasForgotten(broker: BrokerId): boolean {
    return this.outside.has(broker)
  }

  /** The first start on such a disk. False for every other start, which has to find what was durable. */
  foundAnew(broker: BrokerId, found: Shadow): boolean {
    const outside = this.outside.get(broker)
    if (outside?.isNew !== true) return false
    this.outside.set(broker, { ...outside, written: found.copy(), durable: found, isNew: false })
    return true
  }

  /** Whether a ballot of the configuration has led: a majority of its voters holds it on disk then. */
  hasLed(configuration: number): boolean {
    for (const { ballot } of this.ledgers.values()) if (ballot.config === configuration) return true
    return false
  }

  /** Its replica is gone: nothing of it is on the disk, and what it is made of anew is written first. */
  dropped(broker: BrokerId): void {
    const outside = this.outside.get(broker)
    if (outside !== undefined) {
      outside.written = new Shadow()
      outside.durable = new Shadow()
      return
    }
    this.written.set(broker, new Shadow())
    this.durable.set(broker, new Shadow())
  }

  /** A start: what is written is what was found. */
  started(broker: BrokerId): void {
    const outside = this.outside.get(broker)
    if (outside !== undefined) outside.written = outside.durable.copy()
    else this.written.set(broker, this.durableOf(broker).copy())
  }

  /** A replica handed a persist to its store. */
  wrote(broker: BrokerId, writes: readonly Write[]): void {
    const { judge } = this
    const shadow = this.writtenOf(broker)
    const { promised, accepted: before } = shadow
    shadow.apply(writes, judge, this.chosen)
    const { accepted } = shadow
    this.checkConfiguration(broker, writes)
    judge.demand(
      compareBallots(promised, shadow.promised) <= 0,
      'I1',
      () => `broker ${broker} lowers its promise`,
    )
    judge.demand(
      compareBallots(accepted, shadow.promised) <= 0,
      'I1',
      () => `broker ${broker} accepts above its promise`,
    )
    judge.demand(
      compareBallots(before, accepted) <= 0,
      'I1',
      () => `broker ${broker} lowers its accepted ballot`,
    )
    const isRaised = !sameBallot(accepted, before)
    // Who learns takes up configurations as well, by a ballot that nobody campaigns with.
    const isVote = isRaised && accepted.round > 0
    judge.demand(!isVote || !this.isOutside(broker, accepted.config), 'outsider', () => {
      return `broker ${broker}, which has forgotten, accepts ${formatBallot(accepted)}`
    })
    if (isRaised && accepted.broker === broker) this.adopt(accepted, shadow)
    const ledger = this.ledgers.get(formatBallot(accepted))
    if (isRaised && ledger !== undefined) {
      judge.demand(shadow.through >= ledger.adopted, 'I3', () => {
        return `broker ${broker} accepts ${formatBallot(accepted)} up to ${shadow.through}, its leader adopted ${ledger.adopted}`
      })
    }
    for (const write of writes) if (write.kind === 'entry') this.checkEntry(ledger, broker, write.entry)
  }

  /** A configuration is taken up when its stop-sign is chosen and held, and never left for an older one. */
  private checkConfiguration(broker: BrokerId, writes: readonly Write[]): void {
    const { through } = this.writtenOf(broker)
    for (const write of writes) {
      if (write.kind !== 'state' || write.state.configuration.number <= 1) continue
      const { number, voters, fromSlot } = write.state.configuration
      const known = this.configurations.get(number)
      const isSame = known?.fromSlot === fromSlot && describe(known.voters) === describe(voters)
      this.judge.demand(
        isSame && through >= fromSlot,
        'configuration',
        () => `broker ${broker} takes up configuration ${number} of ${describe(voters)} at slot ${fromSlot}`,
      )
    }
  }

  /** A persist became durable: slots may be chosen by it. */
  madeDurable(broker: BrokerId, writes: readonly Write[]): void {
    const shadow = this.durableOf(broker)
    shadow.apply(writes, this.judge, this.chosen)
    if (this.isOutside(broker, shadow.accepted.config)) return
    const ledger = this.ledgers.get(formatBallot(shadow.accepted))
    if (ledger !== undefined) this.count(ledger)
  }

  isChosen(entry: Entry): boolean {
    return this.chosen[entry.slot]?.entry.chain === entry.chain
  }

  /** Is the entry this ballot's value at its slot? */
  isTold(ballot: Ballot, entry: Entry): boolean {
    const ledger = this.ledgers.get(formatBallot(ballot))
    return ledger !== undefined && this.chainOf(ledger, entry.slot) === entry.chain
  }

  private adopt(ballot: Ballot, shadow: Shadow): void {
    const { judge } = this
    const chains = new Map<number, number>()
    for (const entry of shadow.entries) if (entry !== undefined) chains.set(entry.slot, entry.chain)
    judge.demand(
      !this.ledgers.has(formatBallot(ballot)),
      'I2',
      () => `ballot ${formatBallot(ballot)} leads twice`,
    )
    this.ledgers.set(formatBallot(ballot), {
      ballot,
      adopted: shadow.through,
      chains,
      held: new Map(),
      entries: new Map(),
    })
    let slot = this.chosenThrough
    while (slot > 0 && compareBallots((this.chosen[slot] as Chosen).ballot, ballot) >= 0) slot--
    const chain = this.chosen[slot]?.entry.chain ?? FIRST_CHAIN
    judge.demand(shadow.chainAt(slot) === chain, 'I4', () => {
      return `ballot ${formatBallot(ballot)} adopts a log up to ${shadow.through} without the chosen slot ${slot}`
    })
  }

  /** What a replica writes is its ballot's log, or chosen. */
  private checkEntry(ledger: Ledger | undefined, broker: BrokerId, entry: Entry): void {
    if (this.isChosen(entry)) return
    const told = ledger === undefined ? undefined : this.chainOf(ledger, entry.slot)
    const isOwnProposal = ledger?.ballot.broker === broker && sameBallot(entry.origin, ledger.ballot)
    if (isOwnProposal && told === undefined) ledger.chains.set(entry.slot, entry.chain)
    else
      this.judge.demand(
        told === entry.chain,
        'I3',
        () => `broker ${broker} writes slot ${entry.slot}, neither told nor chosen`,
      )
  }

  private chainOf(ledger: Ledger, slot: number): number | undefined {
    return slot === 0 ? FIRST_CHAIN : ledger.chains.get(slot)
  }

  /** Counts the disks that hold, or once held, the ledger's log at its ballot: what a majority accepted is chosen. */
  private count(ledger: Ledger): void {
    const { ballot, held } = ledger
    const voters = this.votersOf(ballot.config)
    const quorum = Math.floor(voters.length / 2) + 1
    for (const voter of voters) this.note(ledger, voter)
    const ends = voters.map((voter) => held.get(voteOf(voter)) ?? 0).sort((a, b) => b - a)
    const end = ends[quorum - 1] as number
    if (end === 0) return
    const known = Math.min(end, this.chosenThrough)
    const isSame = known === 0 || this.chosen[known]?.entry.chain === this.chainOf(ledger, known)
    this.judge.demand(
      isSame,
      'chosen',
      () => `two values are chosen at slot ${known}, the second at ${formatBallot(ballot)}`,
    )
    for (let slot = this.chosenThrough + 1; slot <= end; slot++)
      this.choose(ledger.entries.get(slot) as Entry, ballot)
  }

  /** What the voter's disk holds now, if that is of this ballot. */
  private note(ledger: Ledger, voter: Replica): void {
    const { ballot, held, entries } = ledger
    const outside = this.outside.get(voter.broker)
    // A disk that forgot since had it when it said so: that vote was counted, and its store casts no other.
    const shadow =
      outside?.store === voter.store ? outside.durable : (this.durable.get(voter.broker) as Shadow)
    const { accepted, through } = shadow
    if (!sameBallot(accepted, ballot) || through <= (held.get(voteOf(voter)) ?? 0)) return
    if (shadow.chainAt(through) !== this.chainOf(ledger, through)) return
    held.set(voteOf(voter), through)
    for (let slot = this.chosenThrough + 1; slot <= through; slot++)
      entries.set(slot, shadow.entries[slot] as Entry)
  }

  private choose(entry: Entry, ballot: Ballot): void {
    const { slot, origin } = entry
    const before = this.chosen[slot - 1]
    this.chosen.push({ entry, ballot })
    this.judge.demand(
      ballot.config === this.newest.number,
      'configuration',
      () => `slot ${slot} is chosen in configuration ${ballot.config}, in force is ${this.newest.number}`,
    )
    const next = configurationOf(entry)
    if (next !== undefined) this.begin(next)
    const first = this.ledgers.get(formatBallot(origin))
    const isNext =
      first === undefined ||
      slot === first.adopted + 1 ||
      (before !== undefined && sameBallot(before.entry.origin, origin))
    this.judge.demand(
      isNext,
      'I8',
      () => `slot ${slot} of ${formatBallot(origin)} is chosen without the proposal before it`,
    )
    for (const ledger of this.ledgers.values()) {
      if (compareBallots(ledger.ballot, ballot) <= 0) continue
      const isAdopted = ledger.adopted >= slot && this.chainOf(ledger, slot) === entry.chain
      this.judge.demand(
        isAdopted,
        'I4',
        () => `slot ${slot} is chosen at ${formatBallot(ballot)}, ${formatBallot(ledger.ballot)} lacks it`,
      )
    }
  }

  private begin(next: Configuration): void {
    this.judge.demand(
      next.number === this.newest.number + 1,
      'configuration',
      () => `configuration ${next.number} follows ${this.newest.number}`,
    )
    this.configurations.set(next.number, next)
    this.newest = next
  }
}

function voteOf({ broker, store }: Replica): string {
  return `${broker} ${store}`
}

function describe(voters: readonly Replica[]): string {
  return voters.map(({ broker, store }) => (store.startsWith('f') ? `${broker}'` : `${broker}`)).join(' ')
}
