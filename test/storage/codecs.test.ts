import assert from 'node:assert/strict'
import { crc32 } from 'node:zlib'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import {
  decodeRecord,
  encodeDeletion,
  encodePersist,
  entryOf,
  partsOf,
} from '../../src/storage/journal-record.ts'
import * as keys from '../../src/storage/keys.ts'
import * as rows from '../../src/storage/rows.ts'
import { identityPut, parseIdentity, formatIdentity } from '../../src/storage/identity.ts'
import { readState, stateBytes, writeState } from '../../src/storage/state-codec.ts'
import { chainEntry } from '../../src/paxos/entry.ts'
import type { Checkpoint, Entry, EntryKind, StateRecord } from '../../src/paxos/state.ts'
import type { BrokerId, GroupId, Slot } from '../../src/types/ids.ts'
import { storeId } from '../../src/types/ids.ts'
import { BROKER, GROUP, SampleLog, STORE } from './samples.ts'

/** Records as the program makes them: with the usual prototype. */
function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(model, { noNullPrototype: true })
}

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const safe = fc.maxSafeNat()
const bytes = fc.uint8Array({ maxLength: 40 })
const ballot = record({
  config: u32,
  round: u32,
  broker: fc.integer({ min: 0, max: 0xffff }).map((id) => id as BrokerId),
})
const replica = record({
  broker: fc.integer({ min: 1, max: 0xffff }).map((id) => id as BrokerId),
  store: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((id) => storeId(Buffer.from(id).toString('hex'))),
})
const slot = safe.map((value) => value as Slot)
const configuration = record({
  number: u32,
  voters: fc.array(replica, { maxLength: 7 }),
  learners: fc.array(replica, { maxLength: 5 }),
  fromSlot: slot,
})
const checkpoint: fc.Arbitrary<Checkpoint> = record({
  slot,
  chain: u32,
  configuration,
  partCount: u32,
  offset: safe,
  lastAppendedAtMs: safe,
  logBytes: safe,
})
const state: fc.Arbitrary<StateRecord> = record({
  promised: ballot,
  acceptedBallot: ballot,
  configuration,
  logStart: checkpoint,
  checkpoints: fc.array(checkpoint, { maxLength: 3 }),
  minConfiguration: u32,
  through: slot,
}).map((drawn) => {
  // Configurations of one number are one.
  const known = new Map([[drawn.configuration.number, drawn.configuration]])
  const settle = (of: Checkpoint): Checkpoint => ({
    ...of,
    configuration: known.get(of.configuration.number) ?? of.configuration,
  })
  return { ...drawn, logStart: settle(drawn.logStart), checkpoints: drawn.checkpoints.map(settle) }
})

function entriesFrom(
  first: number,
  bodies: readonly Uint8Array[],
  kind: number,
  origin: Entry['origin'],
): Entry[] {
  let chain = 5
  return bodies.map((body, index) => {
    const facts = {
      slot: (first + index) as Slot,
      kind: kind as EntryKind,
      origin,
      recordCount: index,
      crc: crc32(body),
    }
    const entry = chainEntry(chain, facts, body, crc32)
    chain = entry.chain
    return entry
  })
}

describe('keys', () => {
  const coded = [
    ['recordKey', keys.recordKey],
    ['batchKey', keys.batchKey],
    ['garbageKey', keys.garbageKey],
  ] as const
  for (const [name, encode] of coded) {
    test(`order of ${name} is the order of its numbers, and the number comes back`, () => {
      fc.assert(
        fc.property(safe, safe, (a, b) => {
          assert.equal(Math.sign(Buffer.compare(encode(a), encode(b))), Math.sign(a - b))
          assert.equal(keys.numberOf(encode(a)), a)
        }),
      )
    })
  }

  for (const [name, encode] of [
    ['runKey', keys.runKey],
    ['markKey', keys.markKey],
  ] as const) {
    test(`order of ${name} is by group, then by number, and both come back`, () => {
      fc.assert(
        fc.property(u32, safe, u32, safe, (group, number, otherGroup, otherNumber) => {
          const expected = Math.sign(group - otherGroup) || Math.sign(number - otherNumber)
          assert.equal(
            Math.sign(Buffer.compare(encode(group, number), encode(otherGroup, otherNumber))),
            expected,
          )
          assert.equal(keys.groupOf(encode(group, number)), group)
          assert.equal(keys.groupNumberOf(encode(group, number)), number)
        }),
      )
    })
  }

  test('a row of a state machine keeps its own key, in the order of its bytes', () => {
    fc.assert(
      fc.property(u32, bytes, bytes, (group, a, b) => {
        const order = Math.sign(Buffer.compare(keys.machineKey(group, a), keys.machineKey(group, b)))
        assert.equal(order, Math.sign(Buffer.compare(a, b)))
        assert.deepEqual(new Uint8Array(keys.machinePartOf(keys.machineKey(group, a))), a)
      }),
    )
  })

  test('the range of a group holds its keys and no others', () => {
    fc.assert(
      fc.property(u32, u32, safe, (group, other, number) => {
        const { from, below } = keys.groupRange(keys.INDEX_TAG.RUN, group)
        const key = keys.runKey(other, number)
        const isInside = Buffer.compare(key, from) >= 0 && Buffer.compare(key, below) < 0
        assert.equal(isInside, group === other)
      }),
    )
  })
})

describe('journal records', () => {
  test('a persist comes back as it was written', () => {
    const kind = fc.integer({ min: 1, max: 5 })
    fc.assert(
      fc.property(
        fc.option(state, { nil: undefined }),
        fc.array(bytes, { maxLength: 6 }),
        ballot,
        kind,
        u32,
        safe,
        (stateRecord, bodies, origin, of, group, born) => {
          const entries = entriesFrom(9, bodies, of, origin)
          const key = keys.recordKey(7)
          const value = encodePersist(key, group as GroupId, born, {
            state: stateRecord,
            entries,
            isRepair: false,
            rows: undefined,
          })
          const decoded = decodeRecord(key, value)
          assert.ok(decoded?.kind === 'persist' && !decoded.isRepair)
          assert.deepEqual([decoded.group, decoded.born, decoded.state], [group, born, stateRecord])
          const read = decoded.entries.map((stored) => entryOf(decoded, stored))
          assert.deepEqual(
            read.map((entry) => ({ ...entry, body: new Uint8Array(entry?.body ?? []) })),
            entries,
          )
        },
      ),
    )
  })

  test('a deletion comes back as it was written', () => {
    const key = keys.recordKey(3)
    assert.deepEqual(decodeRecord(key, encodeDeletion(key, GROUP, 2, 5)), {
      kind: 'deletion',
      group: GROUP,
      born: 2,
      minConfiguration: 5,
    })
  })

  test('a value under another key or with any other bytes is not taken for a record', () => {
    const key = keys.recordKey(3)
    const value = encodeDeletion(key, GROUP, 2, 0)
    assert.equal(decodeRecord(keys.recordKey(4), value), undefined)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (noise) =>
        assert.equal(decodeRecord(key, noise), undefined),
      ),
    )
  })

  test('refuses a persist whose entries leave a gap or whose state record is not first', () => {
    const log = new SampleLog()
    const [one, two, three] = log.write(1, ['a', 'b', 'c'])
    assert.ok(one !== undefined && two !== undefined && three !== undefined)
    assert.throws(() => partsOf([one, three]), /contiguous/)
    assert.throws(() => partsOf([one, log.promise(1)]), /comes first/)
    assert.throws(() => partsOf([]), /at least one/)
    assert.equal(partsOf([one, two, three]).entries.length, 3)
  })
})

describe('rows', () => {
  const key = keys.batchKey(1)

  test('a state record comes back as it was written', () => {
    fc.assert(
      fc.property(state, (written) => {
        const buffer = Buffer.alloc(stateBytes(written) + 3)
        assert.equal(writeState(buffer, written, 3), buffer.length)
        assert.deepEqual(readState(buffer, 3), written)
      }),
    )
  })

  test('a head comes back as it was written', () => {
    const numbers = {
      born: safe,
      lastLsn: safe,
      stateLsn: safe,
      stateRunFirst: safe,
      through: safe,
      bytes: safe,
      chain: u32,
    }
    fc.assert(
      fc.property(record({ ...numbers, state }), (head) => {
        assert.deepEqual(rows.readHead(key, rows.encodeHead(key, head)), head)
      }),
    )
  })

  test('applied rows, parts, batches, deletions and floors come back as they were written', () => {
    fc.assert(
      fc.property(safe, safe, safe, safe, (a, b, c, d) => {
        const applied = { number: a, slot: b, nextOffset: c, lastAppendedAtMs: d, logBytes: a }
        assert.deepEqual(rows.readApplied(key, rows.encodeApplied(key, applied)), applied)
        const part = { lsn: c, byteLength: d }
        assert.deepEqual(rows.readPart(key, rows.encodePart(key, part)), part)
        const batch = { number: Math.max(1, a), fromLsn: b, toLsn: c }
        assert.deepEqual(rows.readBatch(key, rows.encodeBatch(key, batch)), batch)
        const deleted = { lsn: a, born: b, isFreed: c % 2 === 1, minConfiguration: d }
        assert.deepEqual(rows.readDeleted(key, rows.encodeDeleted(key, deleted)), deleted)
        const floor = { lsn: a, groupCount: b, atLsn: c }
        assert.deepEqual(rows.readFloor(key, rows.encodeFloor(key, floor)), floor)
      }),
    )
  })

  test('a run comes back with the facts of each slot', () => {
    const entry = record({ origin: ballot, chain: u32, bodyLength: u32 })
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 9 }), safe, (entries, lsn) => {
        const run = rows.readRun(key, 4, rows.encodeRun(key, lsn, entries))
        assert.ok(run !== undefined)
        assert.deepEqual([run.first, run.last, run.lsn], [4, 3 + entries.length, lsn])
        assert.deepEqual(
          entries.map((_, index) => rows.runEntry(run, 4 + index)),
          entries,
        )
      }),
    )
  })

  test('a value of a state machine comes back, unless a bit has flipped', () => {
    fc.assert(
      fc.property(bytes, safe, (plain, where) => {
        const value = rows.encodeMachineValue(key, plain)
        assert.deepEqual(new Uint8Array(rows.readMachineValue(key, value) ?? []), plain)
        const at = where % value.length
        value[at] = (value[at] as number) ^ 1
        assert.equal(rows.readMachineValue(key, value), undefined)
      }),
    )
  })

  test('an identity comes back from its text, and nonsense does not', () => {
    const identity = { storeId: STORE, brokerId: BROKER, clusterId: 'c', format: 1 }
    assert.deepEqual(parseIdentity(formatIdentity(identity)), identity)
    assert.equal(parseIdentity('{'), undefined)
    assert.equal(parseIdentity('{"storeId":"x"}'), undefined)
    assert.ok(identityPut(identity).value.length > 4)
  })
})
