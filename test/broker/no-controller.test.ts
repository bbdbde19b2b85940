import assert from 'node:assert/strict'
import { test } from 'node:test'
import { whyNoController, type MetadataReplica } from '../../src/broker/no-controller.ts'
import type { PeerView } from '../../src/paxos/link-view.ts'
import { brokerId, storeId, type BrokerId } from '../../src/types/ids.ts'

const [ONE, TWO, THREE] = [brokerId(1), brokerId(2), brokerId(3)] as const

function storeOf(broker: number): ReturnType<typeof storeId> {
  return storeId(String(broker).padStart(32, '0'))
}

function peer(broker: BrokerId, changes: Partial<PeerView> = {}): PeerView {
  return {
    alive: true,
    bootId: 'first',
    stalled: false,
    draining: false,
    full: false,
    links: new Set([ONE, TWO, THREE]),
    store: { storeId: storeOf(broker), isOutsider: false },
    ...changes,
  }
}

function reasonOf(
  peers: readonly (readonly [BrokerId, PeerView])[],
  changes: Partial<MetadataReplica> = {},
): string {
  const voters = [ONE, TWO, THREE].map((broker) => ({ broker, store: storeOf(broker) }))
  const own = { selfStalled: false, selfDraining: false, selfFull: false }
  return whyNoController({
    self: ONE,
    configuration: {
      number: 1,
      fromSlot: 0,
      voters,
      learners: [],
    } as unknown as MetadataReplica['configuration'],
    leader: undefined,
    isVoter: true,
    view: { ...own, peers: new Map(peers) },
    ...changes,
  })
}

const KNOWN = 'The broker has not reached a controller yet. Of the brokers that choose one (1, 2, 3)'

test('who waits for a controller says whom it does not hear, and how many are needed', () => {
  assert.equal(reasonOf([]), `${KNOWN}: 2 is not heard, 3 is not heard; a majority is 2. None is chosen.`)
  assert.equal(reasonOf([[TWO, peer(TWO)]]), `${KNOWN}: 3 is not heard. None is chosen.`)
})

test('brokers that are heard and cannot help are told apart', () => {
  const forgot = peer(TWO, { store: { storeId: storeOf(2), isOutsider: true } })
  const deaf = peer(THREE, { links: new Set([THREE]) })
  assert.equal(
    reasonOf([
      [TWO, forgot],
      [THREE, deaf],
    ]),
    `${KNOWN}: 2 has a disk that forgot, 3 does not hear this one in time; a majority is 2. None is chosen.`,
  )
  const other = peer(TWO, { store: { storeId: storeOf(9), isOutsider: false } })
  assert.match(reasonOf([[TWO, other]]), /: 2 has another store, 3 is not heard/)
})

test('where all are heard it says what the choice waits for', () => {
  const all = [
    [TWO, peer(TWO)],
    [THREE, peer(THREE)],
  ] as const
  assert.equal(reasonOf(all), `${KNOWN}: all are heard. None is chosen.`)
  assert.match(reasonOf(all, { isVoter: false }), /too few have vouched for the disk of this one\.$/)
  assert.match(reasonOf(all, { leader: TWO }), /Broker 2 was chosen last and has not answered\.$/)
  assert.match(reasonOf(all, { leader: ONE }), /This broker was chosen last, and is not confirmed\.$/)
})
