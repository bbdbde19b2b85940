import { randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { NO_BALLOT, type Ballot } from '../../src/paxos/ballot.ts'
import { chainEntry } from '../../src/paxos/entry.ts'
import type { LinkView } from '../../src/paxos/link-view.ts'
import type { Message, MessageKind } from '../../src/paxos/messages.ts'
import { ENTRY_KIND, initialState, type Entry } from '../../src/paxos/state.ts'
import { NO_STAGES } from '../../src/observability/stages.ts'
import { Loop } from '../../src/partition/loop.ts'
import { Partition } from '../../src/partition/partition.ts'
import { TailCache } from '../../src/partition/tail-cache.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import type { JournaledStore } from '../../src/storage/journaled-store.ts'
import { openMemoryStore } from '../../src/storage/memory-log-store.ts'
import {
  brokerId,
  groupId,
  NO_SLOT,
  slot,
  storeId,
  type BrokerId,
  type Replica as ReplicaId,
} from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'
import { batch } from '../partition/entries.ts'
import { ADMITTED } from '../support/admitted.ts'
import { PausableKeyValue } from '../support/pausable-key-value.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'

export const GROUP = groupId(5)
const SELF = 1

/**
 * One partition of three replicas, of which this broker holds the first; a test speaks for the two others, message by
 * message, and may hold back the own disk.
 */
export class OnePartition {
  readonly clock = new VirtualClock()
  readonly journal = new PausableKeyValue()
  readonly sent: { readonly to: BrokerId; readonly message: Message }[] = []
  readonly failures: unknown[] = []
  partition!: Partition
  #store!: JournaledStore

  static async open(): Promise<OnePartition> {
    const one = new OnePartition()
    await one.#open()
    return one
  }

  async #open(): Promise<void> {
    const { clock } = this
    const loop: Loop = new Loop(clock, () => !this.#store.isSyncing)
    this.#store = await openMemoryStore(
      { journal: this.journal, index: new PausableKeyValue(), identity: new MemoryIdentityFile() },
      {
        brokerId: brokerId(SELF),
        randomStoreId: () => storeId(randomUUID().replaceAll('-', '')),
        nowMs: () => clock.nowMs(),
        schedule: (run, delayMs) => void clock.later(run, delayMs),
        onFailure: (error) => this.failures.push(error),
        onIdle: () => loop.writerIdle(),
      },
    )
    await this.#store.recover()
    const self: ReplicaId = { broker: brokerId(SELF), store: this.#store.identity.storeId }
    const others = [2, 3].map((id) => ({ broker: brokerId(id), store: storeId(`${id}`.repeat(32)) }))
    const state = initialState({ number: 1, voters: [self, ...others], learners: [], fromSlot: NO_SLOT })
    this.#store.append({ group: GROUP, writes: [{ kind: 'state', state }], onDurable: () => {} })
    this.partition = new Partition({
      group: GROUP,
      self,
      recovered: { state, commit: NO_SLOT, chainAtCommit: 0, tail: [] },
      logBytes: 0,
      rows: [],
      nextOffset: 0,
      lastAppendedAtMs: 0,
      config: DEFAULT_TOPIC_CONFIG,
      host: {
        loop,
        store: this.#store,
        checksum: (data, seed) => crc32(data, seed),
        bootNumber: 1,
        queued: { bytes: 0, bytesMax: 1024 * 1024 },
        stages: NO_STAGES,
        send: (to, _group, message) => void this.sent.push({ to, message }),
        links: () => undefined,
        applied: () => {},
        fatal: (error) => void this.failures.push(error),
      },
      cache: new TailCache(1024 * 1024),
      wallMs: () => 1_700_000_000_000,
      onLeaderChange: () => {},
    })
    this.partition.replica.standing(ADMITTED.standing)
    await turns(4)
  }

  /** Hands in messages that arrive in one turn of the loop, and lets it run. */
  async receive(...messages: readonly (readonly [from: number, message: Message])[]): Promise<void> {
    for (const [from, message] of messages) this.partition.replica.receive(brokerId(from), message)
    await turns(6)
  }

  /** Messages of a kind that left since the last call. */
  take<K extends MessageKind>(kind: K): Extract<Message, { kind: K }>[] {
    const messages = this.sent.splice(0).map(({ message }) => message)
    return messages.filter((message): message is Extract<Message, { kind: K }> => message.kind === kind)
  }

  /** Both others are there and linked to everybody: a fresh group's first voter leads it. */
  async lead(): Promise<Ballot> {
    this.partition.replica.links(everybodyLinked())
    await turns(6)
    const { promised: ballot } = this.partition.replica.paxos
    const promise: Message = {
      kind: 'promise',
      ballot,
      accepted: NO_BALLOT,
      through: slot(0),
      commit: slot(0),
      base: slot(0),
      suffix: [],
      nonVoting: false,
      tooFar: false,
    }
    await this.receive([2, promise], [3, promise])
    await this.receive([2, accepted(ballot, 0)], [3, accepted(ballot, 0)])
    this.sent.length = 0
    return ballot
  }
}

export function accepted(ballot: Ballot, through: number): Message {
  return { kind: 'accepted', ballot, through: slot(through), commit: slot(0) }
}

/** A log of one-record batches, all proposed at `origin`. */
export function logOf(origin: Ballot, values: readonly string[]): readonly Entry[] {
  const entries: Entry[] = []
  for (const [place, value] of values.entries()) {
    const body = batch({ values: [value] })
    const facts = { slot: slot(place + 1), origin, kind: ENTRY_KIND.DATA, recordCount: 1, crc: crc32(body) }
    entries.push(chainEntry(entries.at(-1)?.chain ?? 0, facts, body, crc32))
  }
  return entries
}

function everybodyLinked(): LinkView {
  const links = new Set([1, 2, 3].map(brokerId))
  const peer = { alive: true, bootId: 'boot', stalled: false, draining: false, full: false, links }
  return {
    selfStalled: false,
    selfDraining: false,
    selfFull: false,
    peers: new Map([2, 3].map((id) => [brokerId(id), peer])),
  }
}
