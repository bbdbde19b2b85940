import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { InvariantError } from '../../src/types/invariant.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'
import {
  COMMAND_BYTES_MAX,
  decodeCommand,
  encodeCommand,
  PARTITIONS_PER_TOPIC_MAX,
} from '../../src/controller/commands.ts'
import { commandArbitrary, createTopic } from './command-arbitrary.ts'

function problemOf(value: unknown): string | undefined {
  const read = decodeCommand(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)))
  return 'problem' in read ? read.problem : undefined
}

test('a command comes back as it was encoded', () => {
  fc.assert(
    fc.property(commandArbitrary, (command) => {
      assert.deepEqual(decodeCommand(encodeCommand(command)), {
        command: JSON.parse(JSON.stringify(command)),
      })
    }),
  )
})

test('what is no command is told, never thrown', () => {
  const good = createTopic({ name: 'a' })
  assert.equal(problemOf(good), undefined)
  const wrong: unknown[] = [
    '',
    '{',
    'null',
    [],
    { kind: 'dropEverything' },
    { ...good, extra: 1 },
    { ...good, name: '../a' },
    { ...good, partitions: [] },
    { ...good, partitions: [[0]] },
    { ...good, partitions: [[1, 2, 3, 4, 5, 6, 7, 8]] },
    { ...good, config: { ...DEFAULT_TOPIC_CONFIG, closed: 'no' } },
    { ...good, config: {} },
    { kind: 'formCluster', clusterId: '' },
    '{"kind":"deleteTopic","name":"a","__proto__":{"ifRevision":1}}',
  ]
  for (const value of wrong) assert.ok(problemOf(value), JSON.stringify(value))
})

test('random bytes are told to be no command', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      assert.ok('problem' in decodeCommand(bytes))
    }),
  )
})

test('a command is bounded in bytes and partitions', () => {
  const replicas = [65_535, 65_534, 65_533, 65_532, 65_531, 65_530, 65_529]
  const partitions = Array.from({ length: PARTITIONS_PER_TOPIC_MAX }, () => replicas)
  const largest = createTopic({ name: 'x'.repeat(249), partitions, requestId: 'r' })
  assert.ok('command' in decodeCommand(encodeCommand(largest)))
  assert.ok(
    'problem' in
      decodeCommand(encodeCommand(createTopic({ name: 'a', partitions: [...partitions, replicas] }))),
  )
  const padded = Buffer.concat([
    encodeCommand(createTopic({ name: 'a' })),
    Buffer.alloc(COMMAND_BYTES_MAX, ' '),
  ])
  assert.ok('problem' in decodeCommand(padded))
  assert.throws(
    () => encodeCommand({ kind: 'formCluster', clusterId: 'x'.repeat(COMMAND_BYTES_MAX) }),
    InvariantError,
  )
})
