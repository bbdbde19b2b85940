import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerId, GROUP_ID_MAX, topicId } from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'
import { PARTITIONS_PER_CLUSTER_MAX, PARTITIONS_PER_TOPIC_MAX } from '../../src/controller/commands.ts'
import {
  groupCountProblem,
  placementProblem,
  sameBroker,
  topicDifferences,
} from '../../src/controller/metadata-checks.ts'
import { MemberTable } from '../../src/controller/member-table.ts'
import { brokerInfo, member, placedOn } from './command-arbitrary.ts'

const brokers = new MemberTable()
for (const id of [1, 2, 3]) brokers.put(member(id))
const replicas = (...ids: number[]) => ids.map(brokerId)

test('replicas are as many as asked for, on different brokers that are registered', () => {
  assert.equal(placementProblem([replicas(1, 2), replicas(3, 1)], 2, brokers), undefined)
  assert.equal(placementProblem([replicas(1, 2), replicas(3)], 2, brokers)?.code, 'invalid-config')
  assert.equal(placementProblem([replicas(1, 1)], 2, brokers)?.code, 'not-enough-brokers')
  assert.match(placementProblem([replicas(1, 4)], 2, brokers)!.detail, /Broker 4/)
})

test('partitions fit exactly up to both bounds', () => {
  const problem = (before: number, added: number, inCluster: number, nextGroup = 1) =>
    groupCountProblem({ before, added, inCluster, nextGroup })
  assert.equal(problem(1, PARTITIONS_PER_TOPIC_MAX - 1, 1), undefined)
  assert.match(problem(1, PARTITIONS_PER_TOPIC_MAX, 1)!.hint!, /topic/)
  assert.equal(problem(0, 1, PARTITIONS_PER_CLUSTER_MAX - 1), undefined)
  assert.match(problem(0, 1, PARTITIONS_PER_CLUSTER_MAX)!.hint!, /cluster/)
  assert.equal(problem(0, 1, 0, GROUP_ID_MAX), undefined)
  assert.match(problem(0, 2, 0, GROUP_ID_MAX)!.hint!, /deleted included/)
})

test('what a request leaves out is no difference', () => {
  const partitions = [placedOn(0, 1, 1, 2)]
  const about = { id: topicId('t1'), name: 'a', config: DEFAULT_TOPIC_CONFIG, createdAtMs: 0, revision: 1 }
  const topic = { ...about, partitions }
  assert.deepEqual(topicDifferences(topic, { config: {} }), [])
  assert.deepEqual(
    topicDifferences(topic, { partitions: 1, replicationFactor: 2, config: { closed: false } }),
    [],
  )
  assert.deepEqual(topicDifferences(topic, { partitions: 2, config: { closed: true } }), [
    { field: 'partitions', asked: 2, actual: 1 },
    { field: 'config.closed', asked: true, actual: false },
  ])
})

test('a broker has changed when its address, domain or version has', () => {
  const broker = brokerInfo(1)
  assert.ok(sameBroker(broker, { ...broker }))
  const changes = [
    { publicUrl: 'x' },
    { internalHost: 'x' },
    { internalPort: 1 },
    { failureDomain: 'x' },
    { version: 'x' },
  ]
  for (const change of changes) assert.ok(!sameBroker(broker, { ...broker, ...change }))
})
