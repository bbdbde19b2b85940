import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { judgeCluster, judgePartitions } from '../../../src/cli/doctor/cluster.ts'
import type { BrokerView, OwnAnswer, PartitionView } from '../../../src/cli/doctor/cluster.ts'
import type { Finding } from '../../../src/cli/doctor/finding.ts'

const WELL: OwnAnswer = { hasAnswered: true, isReady: true, reason: undefined, clockAheadMs: 400 }

function broker(
  id: string,
  changes: Partial<Omit<BrokerView, 'own'>> = {},
  own: Partial<OwnAnswer> = {},
): BrokerView {
  return { id, url: `http://b${id}`, state: 'alive', version: '1.0', ...changes, own: { ...WELL, ...own } }
}

function told(findings: readonly Finding[]): readonly string[] {
  return findings.filter(({ level }) => level !== 'ok').map(({ level, sentence }) => `${level}: ${sentence}`)
}

function judged(controller: string | undefined, ...brokers: BrokerView[]): readonly string[] {
  return told(judgeCluster({ id: 'c', controller, brokers }))
}

describe('doctor on a cluster', () => {
  test('has nothing to say of one that is well', () => {
    assert.deepEqual(judged('1', broker('1'), broker('2'), broker('3', { state: 'draining' })), [])
  })

  test('names who is silent, who votes in nothing, and who controls nothing', () => {
    const silent = broker('2', { state: 'dead' }, { hasAnswered: false })
    const outsider = broker('3', { state: 'outsider', reason: 'its disk is another one' })
    assert.deepEqual(judged(undefined, broker('1'), silent, outsider), [
      'problem: Nobody controls cluster c: no majority of its brokers hear each other.',
      'problem: Broker 2 at http://b2 is silent.',
      'problem: Broker 3 takes part in no vote: its disk is another one.',
    ])
  })

  test('names who cannot be reached by clients, is not ready, or has another clock or version', () => {
    assert.deepEqual(
      judged(
        '1',
        broker('1', {}, { hasAnswered: false }),
        broker('2', {}, { isReady: false, reason: 'it recovers' }),
        broker('3', { version: '2.0' }, { clockAheadMs: -7_100 }),
      ),
      [
        'problem: Broker 1 does not answer at http://b1, though the others hear it.',
        'warning: Broker 2 is not ready: it recovers.',
        'warning: The clock of broker 3 is 7 s apart from the one of this machine.',
        'warning: Brokers run different versions: 1.0, 2.0.',
      ],
    )
  })

  test('warns of a cluster in which nobody may fail', () => {
    assert.deepEqual(judged('1', broker('1')), ['warning: With one broker none may fail.'])
  })

  test('counts partitions without a leader or with replicas behind, and names some', () => {
    const partition = (number: number, changes: Partial<PartitionView> = {}): PartitionView => ({
      topic: 'orders',
      partition: number,
      leader: '1',
      replicas: ['1', '2'],
      inSync: ['1', '2'],
      ...changes,
    })
    assert.deepEqual(told(judgePartitions([])), [])
    assert.deepEqual(told(judgePartitions([partition(0), partition(1, { inSync: null })])), [])
    const leaderless = [0, 1, 2, 3].map((number) => partition(number, { leader: null }))
    assert.deepEqual(told(judgePartitions([...leaderless, partition(4, { inSync: ['1'] })])), [
      'problem: 4 of 5 partitions have no leader: orders/0, orders/1, orders/2, ….',
      'warning: 1 of 5 partitions have replicas that are not in sync: orders/4.',
    ])
  })
})
