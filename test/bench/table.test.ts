import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callsIn } from '../../bench/compare/syncs.ts'
import { ratioOf, spreadOf, tableOf, type Round } from '../../bench/compare/table.ts'

function round(recordsPerSecond: number, failed = 0): Round {
  return { recordsPerSecond, p50Ms: 1.234, p99Ms: 9, cpuSecondsPer1000: 0.1, residentMiB: 200.4, failed }
}

const ROUNDS = new Map([
  ['Synod', [round(1_000), round(3_000), round(2_000, 2)]],
  ['other', [round(2_000), round(2_000), round(1_000)]],
])

test('a spread is the median with the least and the most, in whatever order they came', () => {
  assert.deepEqual(spreadOf([3, 1, 2]), { median: 2, least: 1, most: 3 })
  assert.deepEqual(spreadOf([7]), { median: 7, least: 7, most: 7 })
})

test('a ratio is taken within each round, not between medians', () => {
  assert.deepEqual(ratioOf(ROUNDS, 'Synod', 'other'), { median: 1.5, least: 0.5, most: 2 })
  assert.equal(ratioOf(ROUNDS, 'Synod', 'nobody'), undefined)
})

test('the table has a row for each system, what failed in all rounds, and the ratios of one', () => {
  assert.deepEqual(
    tableOf(ROUNDS, [
      ['Synod', 'other'],
      ['Synod', 'nobody'],
    ]),
    [
      '                 records/s  p50 ms  p99 ms  CPU s/1,000  MiB  failed',
      'Synod  2,000 (1,000–3,000)    1.23    9.00        0.100  200       2',
      'other  2,000 (1,000–2,000)    1.23    9.00        0.100  200       0',
      'Synod / other: 1.50 (0.50–2.00)',
    ],
  )
})

test('the syncs in a table of strace are added up, whatever errors stand beside them', () => {
  const table = [
    '% time     seconds  usecs/call     calls    errors syscall',
    '------ ----------- ----------- --------- --------- ----------------',
    ' 95.00    1.234567         123       410           fdatasync',
    '  5.00    0.012345          12        11         2 fsync',
    '------ ----------- ----------- --------- --------- ----------------',
    '100.00    1.246912         122       421         2 total',
  ].join('\n')
  assert.equal(callsIn(table), 421)
  assert.equal(callsIn(''), 0)
})
