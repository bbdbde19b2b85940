import { crc32 } from 'node:zlib'
import { CONTROLLER_GROUP, slot, type Replica as ReplicaId, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { encodeCommand } from '../controller/commands.ts'
import { RECOVERED_GROUPS_MAX, type RecoverUnsafely } from '../controller/operation-schema.ts'
import { firstBallotBelow, type Ballot } from '../paxos/ballot.ts'
import type { Write } from '../paxos/effects.ts'
import { chainEntry } from '../paxos/entry.ts'
import { ENTRY_KIND, type Entry, type EntryKind } from '../paxos/state.ts'
import { encodeStopSign } from '../paxos/stop-sign.ts'
import type { LogStore, RecoveredGroup } from '../storage/log-store.ts'

/** What is put on record of it. */
export interface RecoveryNote {
  readonly requestId: string
  readonly atMs: number
  readonly text: string
}

/**
 * Configurations are left out by so many, so that the new one is above any that the lost voters may have begun, and a reader of
 * the log sees that no leader made it.
 */
const NUMBERS_LEFT_OUT = 1_000

/** Gives each group a configuration in which this replica alone votes, behind all that it holds. Durable when it returns. */
export async function writeRecovery(
  store: LogStore,
  self: ReplicaId,
  lost: readonly RecoveredGroup[],
  note: RecoveryNote,
): Promise<void> {
  // The metadata first: whoever finds a partition recovered finds the record of it.
  const ordered = lost.toSorted((a, b) => a.group - b.group)
  invariant(ordered[0]?.group === CONTROLLER_GROUP, 'What is recovered is put on record.')
  for (const found of ordered) {
    const isMetadata = found.group === CONTROLLER_GROUP
    const bodies = isMetadata ? recordsOf(self, ordered, note).map(encodeCommand) : []
    await new Promise<void>((onDurable) =>
      store.append({ group: found.group, writes: alone(found, self, bodies), onDurable }),
    )
  }
}

/** The last slot that the store holds of a group: its newest state record was perhaps written long before. */
export function lastHeld({ tail, applied, state }: RecoveredGroup): Slot {
  const last = tail.at(-1)?.slot ?? applied.slot
  invariant(last >= state.through, 'What is held reaches at least as far as the state record says.')
  return last
}

function numberAfter({ state }: RecoveredGroup): number {
  return state.configuration.number + NUMBERS_LEFT_OUT
}

function recordsOf(
  { broker, store }: ReplicaId,
  lost: readonly RecoveredGroup[],
  { requestId, atMs, text }: RecoveryNote,
): RecoverUnsafely[] {
  const groups = lost
    .filter(({ group }) => group !== CONTROLLER_GROUP)
    .map((found) => ({ group: found.group, configuration: numberAfter(found) }))
  const commands: RecoverUnsafely[] = []
  for (let at = 0; at === 0 || at < groups.length; at += RECOVERED_GROUPS_MAX)
    commands.push({
      kind: 'recoverUnsafely',
      requestId,
      broker,
      store,
      groups: groups.slice(at, at + RECOVERED_GROUPS_MAX),
      groupCount: groups.length,
      note: text,
      isLast: at + RECOVERED_GROUPS_MAX >= groups.length,
      atMs,
    })
  return commands
}

/** All that is held counts as chosen, for nobody is left who could say that it is not; then comes the stop-sign. */
function alone(found: RecoveredGroup, self: ReplicaId, bodies: readonly Uint8Array[]): Write[] {
  const { state } = found
  const number = numberAfter(found)
  const origin: Ballot = { config: number - 1, round: 1, broker: self.broker }
  const entries: Entry[] = []
  const through = lastHeld(found)
  let last = { slot: through, chain: found.tail.at(-1)?.chain ?? found.chainAtApplied }
  const append = (kind: EntryKind, body: Uint8Array) => {
    const facts = { slot: slot(last.slot + 1), origin, kind, recordCount: 0, crc: crc32(body) }
    last = chainEntry(last.chain, facts, body, (data, seed) => crc32(data, seed))
    entries.push(last as Entry)
  }
  for (const body of bodies) append(ENTRY_KIND.DATA, body)
  append(ENTRY_KIND.STOPSIGN, encodeStopSign({ number, voters: [self] }))
  const below = firstBallotBelow(number)
  const configuration = { number, voters: [self], learners: [], fromSlot: last.slot }
  // The record comes first and cuts the log where it ends; what follows in the same persist is there with it, or neither is.
  const after = { ...state, promised: below, acceptedBallot: below, configuration, through }
  return [{ kind: 'state', state: after }, ...entries.map((entry) => ({ kind: 'entry', entry }) as const)]
}
