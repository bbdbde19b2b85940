import { crc32 } from 'node:zlib'
import type { PaxosTuning } from '../../src/paxos/options.ts'
import { DEFAULT_TUNING } from '../../src/paxos/options.ts'
import type { Message } from '../../src/paxos/messages.ts'
import { ENTRY_KIND, initialState, type Entry } from '../../src/paxos/state.ts'
import { NO_STAGES } from '../../src/observability/stages.ts'
import { Loop } from '../../src/partition/loop.ts'
import { Replica } from '../../src/partition/replica.ts'
import type { HostedMachine } from '../../src/partition/replica-host.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import { openMemoryStore } from '../../src/storage/memory-log-store.ts'
import { brokerId, groupId, NO_SLOT, storeId, type BrokerId, type GroupId } from '../../src/types/ids.ts'
import { ADMITTED } from '../support/admitted.ts'
import { PausableKeyValue } from '../support/pausable-key-value.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'

export interface Sent {
  readonly to: BrokerId
  readonly group: GroupId
  readonly message: Message
}

/** Remembers the bodies that were applied, and answers each with its text. */
class TextMachine implements HostedMachine<string> {
  readonly nextOffset = 0
  readonly lastAppendedAtMs = 0
  readonly mark = undefined
  readonly applied: string[] = []
  apply(entry: Entry): string {
    const text = Buffer.from(entry.body).toString()
    if (text === 'broken') throw new Error('The machine contradicts itself.')
    this.applied.push(text)
    return text
  }
  takeRows() {
    return []
  }
  restore(): void {}
}

export interface LoneOptions {
  readonly voterCount?: number
  readonly tuning?: Partial<PaxosTuning>
  readonly bytesMax?: number
}

const SELF = { broker: brokerId(1), store: storeId('1'.repeat(32)) }

/** Broker 1's replica of a group, over a disk in memory; what it sends to others is collected. */
export async function openReplica(options: LoneOptions = {}) {
  const clock = new VirtualClock()
  const journal = new PausableKeyValue()
  const failures: unknown[] = []
  const sent: Sent[] = []
  const opened: { loop?: Loop } = {}
  const store = await openMemoryStore(
    { journal, index: new PausableKeyValue(), identity: new MemoryIdentityFile() },
    {
      brokerId: SELF.broker,
      randomStoreId: () => SELF.store,
      nowMs: () => clock.nowMs(),
      schedule: (run, delayMs) => void clock.later(run, delayMs),
      onFailure: (error) => failures.push(error),
      onIdle: () => opened.loop?.writerIdle(),
    },
  )
  await store.recover()
  const loop = new Loop(clock, () => !store.isSyncing)
  opened.loop = loop
  const host = {
    loop,
    store,
    checksum: (data: Uint8Array, seed: number) => crc32(data, seed),
    bootNumber: 1,
    queued: { bytes: 0, bytesMax: options.bytesMax ?? 1e9 },
    stages: NO_STAGES,
    send: (to: BrokerId, group: GroupId, message: Message) => void sent.push({ to, group, message }),
    links: () => undefined,
    applied: () => {},
    fatal: (error: unknown) => void failures.push(error),
  }
  const voters = Array.from({ length: options.voterCount ?? 1 }, (_, place) => ({
    broker: brokerId(place + 1),
    store: storeId(String(place + 1).repeat(32)),
  }))
  const state = initialState({ number: 1, voters, learners: [], fromSlot: NO_SLOT })
  const group = groupId(1)
  store.append({ group, writes: [{ kind: 'state', state }], onDurable: () => {} })
  const machine = new TextMachine()
  const replica = new Replica<string>({
    group,
    self: SELF,
    recovered: { state, commit: NO_SLOT, chainAtCommit: 0, tail: [] },
    logBytes: 0,
    machine,
    tuning: { ...DEFAULT_TUNING, ...options.tuning },
    host,
    listener: { stamp: () => {}, applied: () => {}, turnEnded: () => {}, roleChanged: () => {} },
  })
  replica.standing(ADMITTED.standing)
  const propose = (text: string, timeoutMs = 1_000) =>
    replica.propose({ kind: ENTRY_KIND.DATA, recordCount: 0, body: Buffer.from(text), timeoutMs })
  /** With one voter it leads after this. */
  const settle = async () => {
    loop.wake(replica)
    await turns(8)
  }
  await settle()
  return { clock, journal, store, loop, host, replica, machine, sent, failures, propose, settle }
}
