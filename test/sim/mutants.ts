import type { Slot } from '../../src/types/ids.ts'
import type { Message } from '../../src/paxos/messages.ts'
import type { PaxosOptions } from '../../src/paxos/options.ts'
import { Paxos } from '../../src/paxos/paxos.ts'
import { Rules, type LogExtent } from '../../src/paxos/rules.ts'
import type { Entry, RecoveredState } from '../../src/paxos/state.ts'
import type { Rule } from './judge.ts'
import type { Swarm } from './swarm.ts'

/** A deliberate bug, made around production code and never in it. A simulator that does not find it is worth nothing. */
export interface Mutant {
  readonly name: string
  readonly about: string
  readonly paxos?: (options: PaxosOptions, recovered: RecoveredState) => Paxos
  /** These messages do not wait for the disk. */
  readonly leavesEarly?: (message: Message) => boolean
  /** The core is told at once that its persists are durable. */
  readonly isConfirmedEarly?: boolean
  /** The disk says that it has synced, and has not. */
  readonly isDiskLying?: boolean
  /** What makes the bug show sooner than a drawn swarm would. */
  readonly swarm?: Partial<Swarm>
  /** Rules that would catch it before it does any harm. */
  readonly ignored?: ReadonlySet<Rule>
}

export const NO_MUTANT: Mutant = { name: 'none', about: 'The code as it is.' }

/** A replica with some rules replaced. */
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

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'M1',
    about: 'AcceptSync raises the accepted ballot with a part of the suffix.',
    paxos: withRules(() => new ChunkedAdoption()),
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
  },
  {
    name: 'L1',
    about: 'A tail that no longer links to what was learned is kept.',
    paxos: withRules(() => new KeepsUnlinkedTail()),
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
]

export function mutantNamed(name: string): Mutant | undefined {
  return MUTANTS.find((mutant) => mutant.name === name)
}
