import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { entryBytes, ReplicaLog } from '../../src/paxos/replica-log.ts'
import { slot } from '../../src/types/ids.ts'
import { ballot, logOf } from './lone-replica.ts'

const A = ballot(1, 1)
const B = ballot(2, 2)
const EMPTY = { commit: slot(0), chainAtCommit: 0, tail: [], checksum: crc32 }

function logOfSize(size: number): ReplicaLog {
  const values = Array.from({ length: size }, (_, place) => [`${place}`, A] as const)
  return new ReplicaLog({ ...EMPTY, tail: logOf(...values) })
}

test('a log takes only an entry that links to its end', () => {
  const [first, second] = logOf(['a', A], ['b', A])
  assert.ok(first && second)
  const log = new ReplicaLog(EMPTY)
  assert.throws(() => log.append(second), /links/)
  log.append(first)
  assert.equal(log.through, 1)
  assert.ok(log.linksAt(1, second))
  assert.ok(!log.linksAt(1, first))
})

test('an entry of a lower ballot than the one before it is refused', () => {
  const [first, second] = logOf(['a', B], ['b', A])
  assert.ok(first && second)
  const log = new ReplicaLog({ ...EMPTY, tail: [first] })
  assert.throws(() => log.append(second), /I8/)
})

test('a chosen entry is never truncated', () => {
  const log = logOfSize(3)
  log.commitTo(slot(2))
  assert.throws(() => log.truncate(1), /chosen/)
  log.truncate(2)
  assert.equal(log.through, 2)
})

test('commit moves forward inside the log only', () => {
  const log = logOfSize(3)
  assert.deepEqual(
    log.commitTo(slot(2)).map((entry) => entry.slot),
    [1, 2],
  )
  assert.throws(() => log.commitTo(slot(1)), /forward/)
  assert.throws(() => log.commitTo(slot(4)), /forward/)
})

test('dropping never touches what is not chosen, and keeps the chain value below', () => {
  const log = logOfSize(4)
  const chain = log.chainAt(2)
  log.commitTo(slot(2))
  log.dropChosen(4, 0)
  assert.equal(log.start, 2)
  assert.equal(log.chainAt(2), chain)
  assert.equal(log.through, 4)
  assert.throws(() => log.at(2), /in memory|memory tail/)
})

test('dropping by bytes keeps the newest chosen entries', () => {
  const log = logOfSize(4)
  log.commitTo(slot(4))
  log.dropChosen(0, 2 * entryBytes(log.at(4)))
  assert.equal(log.start, 2)
  assert.equal(log.bytes, 2 * entryBytes(log.at(4)))
})

test('any order of appends, commits, truncations and drops keeps slots, chains and bytes right', () => {
  const operations = fc.array(fc.tuple(fc.constantFrom('append', 'commit', 'truncate', 'drop'), fc.nat(12)), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(operations, (steps) => {
      const log = new ReplicaLog(EMPTY)
      const values: (readonly [string, typeof A])[] = []
      for (const [name, number] of steps) {
        if (name === 'append') {
          values.push([`${number}`, A])
          const entry = logOf(...values).at(-1)
          assert.ok(entry)
          log.append(entry)
        } else if (name === 'commit') {
          log.commitTo(slot(Math.min(log.through, log.commit + number)))
        } else if (name === 'truncate') {
          log.truncate(Math.max(log.commit, log.through - number))
          values.length = log.through
        } else {
          log.dropChosen(log.commit - number, number * 100)
        }
        const model = logOf(...values)
        assert.equal(log.through, model.length)
        assert.deepEqual(log.slice(log.start, log.through), model.slice(log.start))
        assert.equal(log.chainAt(log.start), model[log.start - 1]?.chain ?? 0)
        const bytes = model.slice(log.start).reduce((sum, entry) => sum + entryBytes(entry), 0)
        assert.equal(log.bytes, bytes)
        const open = model.slice(log.commit).reduce((sum, entry) => sum + entryBytes(entry), 0)
        assert.equal(log.uncommittedBytes, open)
      }
    }),
  )
})
