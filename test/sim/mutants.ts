import type { Slot } from '../../src/types/ids.ts'
import type { Write } from '../../src/paxos/effects.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { PaxosOptions } from '../../src/paxos/options.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import type { ReplicaLog } from '../../src/paxos/replica-log.ts'
import { Rules, type LogExtent } from '../../src/paxos/rules.ts'
import type { Entry, RecoveredState } from '../../src/paxos/state.ts'
import type { Operation } from '../../src/storage/key-value.ts'
import type { MemoryKeyValue } from '../../src/storage/memory-key-value.ts'
import type { Rule } from './judge.ts'
import {
  BLACKOUTS,
  CHANGING,
  EARLY_RULES,
  HARD_ON_STORES,
  HASTY,
  RESTLESS,
  ROTTING,
  STORMY,
  TRIMMING,
  UNNOTICED,
} from './mutant-swarms.ts'
import { believeNewestBatch, collectNewestStates, indexBeforeJournal, withoutFloor } from './store-mutants.ts'
import type { Swarm } from './swarm.ts'
import { AnyStoreVotes } from './vote-mutants.ts'

/** A deliberate bug, made around production code and never in it. A simulator that does not find it is worth nothing. */
export interface Mutant {
  readonly name: string
  readonly about: string
  readonly paxos?: (options: PaxosOptions, recovered: RecoveredState) => Paxos
  /** These messages do not wait for the disk. */
  readonly leavesEarly?: (message: Message) => boolean
  /** These messages do not arrive before all is healed. */
  readonly losesMessage?: (message: Message) => boolean
  readonly altersMessage?: (message: Message, sender: Paxos) => Message
  /** The core is told at once that its persists are durable. */
  readonly isConfirmedEarly?: boolean
  /** A leader answers linearizable reads without asking a quorum. */
  readonly isReadAlone?: boolean
  /** Heartbeats tell journal numbers that are not durable yet. */
  readonly isLsnEarly?: boolean
  /** A start asks nobody whether its disk has forgotten. */
  readonly isUnasked?: boolean
  /** A start does not know what starts of its store came before it. */
  readonly forgetsStarts?: boolean
  /** A wiped disk gets its old identity again. */
  readonly keepsStoreId?: boolean
  /** State machines start without their rows. */
  readonly isRowless?: boolean
  /** A checkpoint is sent with the table of now. */
  readonly isTableLate?: boolean
  /** The disk says that it has synced, and has not. */
  readonly isDiskLying?: boolean
  /** What reaches the store of a persist; `throughBefore` is where the log ended. */
  readonly altersWrites?: (writes: readonly Write[], throughBefore: number) => readonly Write[]
  readonly altersJournal?: (operations: readonly Operation[]) => readonly Operation[]
  /** Changes what a start finds of the index. */
  readonly tampersIndex?: (index: MemoryKeyValue) => Promise<void>
  /** Replaces a method of production code for one run; returns how to put it back. */
  readonly install?: () => () => void
  /** What makes the bug show sooner than a drawn swarm would. */
  readonly swarm?: Partial<Swarm>
  /** Rules that would catch it before it does any harm. */
  readonly ignored?: ReadonlySet<Rule>
}

export const NO_MUTANT: Mutant = { name: 'none', about: 'The code as it is.' }

/** A replica with one rule replaced. */
function withRules(makeRules: () => Rules): NonNullable<Mutant['paxos']> {
  class MutantPaxos extends Paxos {
    protected override rules(): Rules {
      return makeRules()
    }
  }
  return (options, recovered) => new MutantPaxos(options, recovered)
}

class ChunkedAdoption extends Rules {
  override adoptionEntries(entries: readonly Entry[]): readonly Entry[] {
    return entries.slice(0, Math.ceil(entries.length / 2))
  }
}

class LongestLog extends Rules {
  override holdsMore(a: LogExtent, b: LogExtent): boolean {
    return a.through > b.through
  }
}

class LearnTruncates extends Rules {
  override keptAboveLearned(): readonly Entry[] {
    return []
  }
}

class HalfQuorum extends Rules {
  override quorum(voterCount: number): number {
    return Math.floor((voterCount + 1) / 2)
  }
}

class QuorumOfOne extends Rules {
  override quorum(): number {
    return 1
  }
}

class OverwritesChosen extends Rules {
  override contradictsChosen(): boolean {
    return false
  }

  override adoptionStart(_log: unknown, base: Slot): Slot {
    return base
  }
}

class KeepsUnlinkedTail extends Rules {
  override keptAboveLearned(above: readonly Entry[]): readonly Entry[] {
    return above
  }
}

class DamagedWasNeverAccepted extends Rules {
  override promisable(log: ReplicaLog): Slot {
    const damaged = log.damage.firstAbove(log.commit)
    return damaged === undefined ? log.through : ((damaged.slot - 1) as Slot)
  }
}

class AcknowledgesDamaged extends Rules {
  override mayAcknowledge(): boolean {
    return true
  }
}

class CommitPassesDamage extends Rules {
  override committable(_log: ReplicaLog, chosenThrough: Slot): Slot {
    return chosenThrough
  }
}

class ForgetsStopSign extends Rules {
  override knownChosen(applied: Slot): Slot {
    return applied
  }
}

/** Every replica goes on with the quorum of the first configuration that it meets. */
class StaleQuorum extends Rules {
  private first: number | undefined

  override quorum(voterCount: number): number {
    this.first ??= super.quorum(voterCount)
    return this.first
  }
}

class TrustsReset extends Rules {
  override judgeReset(): 'drop-tail' {
    return 'drop-tail'
  }
}

function liftCut(writes: readonly Write[], throughBefore: number): readonly Write[] {
  return writes.map((write) => {
    if (write.kind !== 'state' || write.state.through >= throughBefore) return write
    return { kind: 'state', state: { ...write.state, through: throughBefore as Slot } }
  })
}

/** `M`, `A`, `L`: rules of consensus 1 that are broken; `J`: rules of the journal and its index. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'M1',
    about: 'AcceptSync raises the accepted ballot with a part of the suffix.',
    paxos: withRules(() => new ChunkedAdoption()),
    swarm: STORMY,
  },
  {
    name: 'M2',
    about: 'Accepted leaves before its entries are on disk.',
    leavesEarly: (message) => message.kind === 'accepted',
  },
  {
    name: 'M3',
    about: 'Promise leaves before it is on disk.',
    leavesEarly: (message) => message.kind === 'promise',
  },
  {
    name: 'M6',
    about: 'The longest log is adopted, not the one of the highest accepted ballot.',
    paxos: withRules(() => new LongestLog()),
    swarm: STORMY,
  },
  {
    name: 'M7',
    about: 'Prepare leaves before its ballot is on disk, so a restart uses the ballot again.',
    leavesEarly: (message) => message.kind === 'prepare',
  },
  {
    name: 'M8',
    about: 'Learning drops what stands above the learned entries.',
    paxos: withRules(() => new LearnTruncates()),
    swarm: STORMY,
  },
  {
    name: 'M9',
    about: 'A quorum is floor((N+1)/2), half of an even number.',
    paxos: withRules(() => new HalfQuorum()),
  },
  {
    name: 'M10',
    about: 'A replica counts its own writes before they are on disk.',
    isConfirmedEarly: true,
  },
  {
    name: 'A2',
    about: 'AcceptSync replaces slots that are known to be chosen.',
    paxos: withRules(() => new OverwritesChosen()),
    swarm: STORMY,
  },
  {
    name: 'A1',
    about: 'A damaged entry counts as never accepted: the promise calls the log shorter than it is.',
    paxos: withRules(() => new DamagedWasNeverAccepted()),
    swarm: ROTTING,
  },
  {
    name: 'A3',
    about: 'Accepted covers a slot that the disk cannot give back.',
    paxos: withRules(() => new AcknowledgesDamaged()),
    swarm: ROTTING,
  },
  {
    name: 'A4',
    about: 'Commit passes a damaged slot.',
    paxos: withRules(() => new CommitPassesDamage()),
    swarm: ROTTING,
  },
  {
    name: 'L1',
    about: 'A tail that no longer links to what was learned is kept.',
    paxos: withRules(() => new KeepsUnlinkedTail()),
    swarm: STORMY,
  },
  {
    name: 'R2',
    about: 'That a stop-sign is chosen is forgotten by a stop, though its configuration is in force.',
    paxos: withRules(() => new ForgetsStopSign()),
    swarm: CHANGING,
  },
  {
    name: 'speaks-before-taken-up',
    about: 'A new voter asks for more in a configuration before it is durable that it has taken it up.',
    leavesEarly: (message) => message.kind === 'syncRequest',
    swarm: HASTY,
  },
  {
    name: 'R-quorum',
    about: 'A quorum has the size that it had in an earlier configuration.',
    paxos: withRules(() => new StaleQuorum()),
    swarm: CHANGING,
  },
  {
    name: 'T1',
    about: 'A SyncReset is taken for an answer to what was asked, however late it comes.',
    paxos: withRules(() => new TrustsReset()),
    swarm: TRIMMING,
  },
  {
    name: 'T2',
    about: 'A checkpoint is sent with the table of a later slot.',
    isTableLate: true,
    swarm: { ...TRIMMING, partBytesMax: 1_000_000 },
  },
  {
    name: 'J1',
    about: 'The newest index batch is believed though an earlier one is missing.',
    tampersIndex: believeNewestBatch,
    swarm: HARD_ON_STORES,
  },
  {
    name: 'J2',
    about: 'The index is told of journal records before they are durable.',
    install: indexBeforeJournal,
    swarm: HARD_ON_STORES,
  },
  {
    name: 'J3',
    about: 'A state record leaves the journal because the index has it.',
    install: collectNewestStates,
    swarm: HARD_ON_STORES,
  },
  {
    name: 'J4',
    about: 'Journal keys are deleted without a floor on record.',
    altersJournal: withoutFloor,
    swarm: HARD_ON_STORES,
  },
  {
    name: 'J5',
    about: 'A state record does not cut the log.',
    altersWrites: liftCut,
  },
  {
    name: 'W1',
    about: 'Heartbeats tell the journal number that was assigned last, not the durable one.',
    isLsnEarly: true,
    swarm: { harm: 'none' },
  },
  {
    name: 'W2',
    about: 'A start asks nobody whether its disk has forgotten something.',
    isUnasked: true,
    swarm: { harm: 'lie', brokerCount: 3 },
  },
  {
    name: 'W3',
    about: 'A start is held against what earlier ones saw without what was written since being told apart.',
    forgetsStarts: true,
    swarm: RESTLESS,
  },
  {
    name: 'M5',
    about: 'A wiped disk votes again under its old identity.',
    isUnasked: true,
    keepsStoreId: true,
    swarm: { harm: 'wipe', brokerCount: 3 },
  },
  {
    name: 'R4',
    about: 'A store that came in place of a lost one votes before a configuration names it.',
    paxos: withRules(() => new AnyStoreVotes()),
    swarm: { harm: 'wipe', brokerCount: 3 },
  },
  {
    name: 'quorum-of-one',
    about: 'One voter decides alone.',
    paxos: withRules(() => new QuorumOfOne()),
  },
  {
    name: 'skipped-fsync',
    about: 'The disk says that the journal is synced, and has synced nothing.',
    isDiskLying: true,
  },
  {
    name: 'overstated-accepted',
    about: 'Accepted covers the whole log, not only what the message that it answers covered.',
    altersMessage: (message, sender) =>
      message.kind === 'accepted' ? { ...message, through: sender.through } : message,
  },
  {
    name: 'stale-read',
    about: 'A leader answers reads without asking a quorum whether it still leads.',
    isReadAlone: true,
    swarm: { readEveryMs: 20 },
  },
  {
    name: 'forgotten-rows',
    about: 'A start forgets what the state machine knew of its producers.',
    isRowless: true,
  },
  {
    name: 'A1-harm',
    about: 'As A1, noticed only when a chosen entry is missing.',
    paxos: withRules(() => new DamagedWasNeverAccepted()),
    swarm: ROTTING,
    ignored: new Set<Rule>(['durable']),
  },
  {
    name: 'no-digests',
    about: 'Brokers do not compare what they hold, so who lost the last Learns of a group is never told.',
    losesMessage: (message) => message.kind === 'learn',
    swarm: { digestEveryMs: Infinity, quietMs: 500 },
  },
  {
    name: 'T2-harm',
    about: 'As T2, noticed only by what users see.',
    isTableLate: true,
    swarm: { ...TRIMMING, partBytesMax: 1_000_000 },
    ignored: new Set<Rule>(['agreement', 'I7', 'recovery']),
  },
  {
    name: 'M2-harm',
    about: 'As M2, noticed only by what users see.',
    leavesEarly: (message) => message.kind === 'accepted',
    swarm: { ...BLACKOUTS, ...UNNOTICED },
    ignored: EARLY_RULES,
  },
  {
    name: 'M3-harm',
    about: 'As M3, noticed only when a chosen entry is missing.',
    leavesEarly: (message) => message.kind === 'promise',
    swarm: { ...BLACKOUTS, ...UNNOTICED },
    ignored: new Set<Rule>(['durable']),
  },
  {
    name: 'M7-harm',
    about: 'As M7 without the rule that the own promise counts when it is on disk: a ballot leads twice.',
    leavesEarly: (message) => message.kind === 'prepare',
    isConfirmedEarly: true,
    swarm: { ...STORMY, ...UNNOTICED, diskMeanMs: 60, diskMaxMs: 400 },
    ignored: new Set<Rule>(['durable', 'chosen', 'commit', 'recovery', 'read', 'I1', 'I3', 'I4']),
  },
  {
    name: 'W2-harm',
    about: 'As W2, noticed only by what users see.',
    isUnasked: true,
    swarm: { ...STORMY, ...UNNOTICED, harm: 'lie' },
    ignored: new Set<Rule>([...EARLY_RULES, 'outsider', 'exception']),
  },
  {
    name: 'M5-harm',
    about: 'As M5, noticed only by what users see.',
    isUnasked: true,
    keepsStoreId: true,
    swarm: { ...STORMY, ...UNNOTICED, harm: 'wipe' },
    ignored: new Set<Rule>([...EARLY_RULES, 'outsider', 'exception']),
  },
  {
    name: 'M9-harm',
    about: 'As M9, noticed only by what users see.',
    paxos: withRules(() => new HalfQuorum()),
    swarm: UNNOTICED,
    ignored: EARLY_RULES,
  },
  {
    name: 'M10-harm',
    about: 'As M10, noticed only by what users see.',
    isConfirmedEarly: true,
    swarm: UNNOTICED,
    ignored: EARLY_RULES,
  },
]
