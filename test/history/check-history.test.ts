import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkHistory } from './check-history.ts'
import type { AnomalyName } from './findings.ts'
import type { Operation, Outcome, ProduceOperation, SeenRecord } from './operation.ts'

/** One record after the other, each taking 1 ms. */
function produced(
  value: string,
  at: string | undefined,
  more: Partial<ProduceOperation> = {},
): ProduceOperation {
  const endMs = more.endMs ?? ++clockMs
  const outcome: Outcome = more.outcome ?? (at === undefined ? 'unknown' : 'ok')
  return {
    type: 'produce',
    producer: 'p',
    identity: 'none',
    startMs: endMs - 0.5,
    endMs,
    outcome,
    records: [{ value, ...placeOf(at) }],
    ...more,
  }
}
let clockMs = 0

function batch(outcome: Outcome, ...records: readonly (readonly [string, string | undefined])[]): Operation {
  return produced('', undefined, {
    outcome,
    records: records.map(([value, at]) => ({ value, ...placeOf(at) })),
  })
}

/** '0@5': told to be there; '0': sent to that partition. */
function placeOf(at: string | undefined): { partition?: number; offset?: number } {
  if (at === undefined) return {}
  const [partition, offset] = at.split('@').map(Number)
  return offset === undefined ? { partition: partition! } : { partition: partition!, offset }
}

/** One frame: values of one partition from an offset on. */
function polled(reader: string, at: string, ...values: readonly string[]): Operation {
  const { partition, offset } = placeOf(at)
  return {
    type: 'poll',
    reader,
    records: values.map((value, index): SeenRecord => [partition!, offset! + index, value]),
  }
}

function frame(reader: string, ...records: readonly SeenRecord[]): Operation {
  return { type: 'poll', reader, records }
}

const seek = (reader: string, next: Record<number, number> = {}): Operation => ({
  type: 'seek',
  reader,
  next,
})
const end = (reader: string, ...partitions: readonly number[]): Operation => ({
  type: 'end',
  reader,
  partitions,
})

/** Checks that exactly these anomalies are found, each as often as said. */
function finds(operations: readonly Operation[], expected: Partial<Record<AnomalyName, number>>): void {
  const { anomalies } = checkHistory(operations)
  const counts = Object.fromEntries([...anomalies].map(([name, { count }]) => [name, count]))
  const examples = [...anomalies].flatMap(([name, each]) => each.examples.map((text) => `${name}: ${text}`))
  assert.deepEqual(counts, expected, examples.join('\n'))
}

describe('a clean history', () => {
  test('has no anomaly, whatever became of records of unknown outcome', () => {
    const operations = [
      seek('r'),
      produced('a', '0@0'),
      produced('b', undefined),
      produced('c', '0@2'),
      produced('d', undefined),
      produced('e', undefined, { outcome: 'failed' }),
      batch('ok', ['f', '0@3'], ['g', '1@0'], ['h', '0@4']),
      polled('r', '0@0', 'a', 'b', 'c'),
      polled('r', '1@0', 'g'),
      polled('r', '0@3', 'f', 'h'),
      end('r', 0, 1),
    ]
    finds(operations, {})
    const { produced: counts, unknownStored, seen } = checkHistory(operations)
    assert.deepEqual(counts, { ok: 5, unknown: 2, failed: 1 })
    assert.equal(unknownStored, 1)
    assert.equal(seen, 6)
  })

  test('may be read from anywhere, again, and by readers that stop early', () => {
    finds(
      [
        produced('a', '0@0'),
        produced('b', '0@1'),
        polled('never sought', '0@1', 'b'),
        seek('r', { 0: 1 }),
        polled('r', '0@1', 'b'),
        seek('r', { 0: 0 }),
        polled('r', '0@0', 'a'),
      ],
      {},
    )
  })

  test('may have a record of unknown outcome after later ones of its producer', () => {
    finds([produced('a', undefined), produced('b', '0@0'), polled('r', '0@0', 'b', 'a')], {})
  })
})

describe('a planted anomaly is found:', () => {
  const a = produced('a', '0@0')
  const b = produced('b', '0@1')
  const c = produced('c', '0@2')

  test('inconsistent-offsets, seen by two readers', () => {
    const unknown = produced('x', undefined)
    finds([a, b, unknown, polled('r', '0@0', 'a', 'b'), polled('s', '0@0', 'a', 'x')], {
      'inconsistent-offsets': 1,
    })
  })

  test('inconsistent-offsets, in two receipts', () => {
    const again = produced('x', '0@1')
    finds([a, b, again, polled('r', '0@0', 'a')], { 'inconsistent-offsets': 1, unseen: 2 })
  })

  test('G1a', () => {
    const refused = produced('x', undefined, { outcome: 'failed' })
    finds([a, refused, polled('r', '0@0', 'a', 'x')], { G1a: 1 })
  })

  test('never-written', () => {
    finds([a, polled('r', '0@0', 'a', 'x')], { 'never-written': 1 })
  })

  test('lost-write, when a reader is past its place', () => {
    finds([a, b, c, polled('r', '0@0', 'a'), polled('s', '0@2', 'c')], { 'lost-write': 1, 'offset-gap': 1 })
  })

  test('lost-write, when another record has its place', () => {
    const other = produced('x', undefined)
    finds([a, b, other, polled('r', '0@0', 'a', 'x')], { 'lost-write': 1, 'ack-offset-mismatch': 1 })
  })

  test('lost-write at the end of the log, when a reader has read all there is', () => {
    finds([a, b, seek('r'), polled('r', '0@0', 'a'), end('r', 0)], { 'lost-write': 1, unseen: 1 })
  })

  test('lost-write, when the place of the acknowledged record is not known', () => {
    const forgotten = produced('x', undefined, { outcome: 'ok' })
    finds([a, forgotten, seek('r'), polled('r', '0@0', 'a'), end('r', 0)], { 'lost-write': 1 })
  })

  test('duplicate', () => {
    finds([a, b, polled('r', '0@0', 'a', 'b', 'a')], { duplicate: 1 })
  })

  test('duplicate, in two partitions', () => {
    const unknown = produced('x', undefined)
    finds([unknown, polled('r', '0@0', 'x'), polled('r', '1@0', 'x')], { duplicate: 1 })
  })

  test('ack-offset-mismatch', () => {
    const elsewhere = produced('x', '0@7')
    finds([a, elsewhere, polled('r', '0@0', 'a', 'x')], { 'ack-offset-mismatch': 1 })
  })

  test('offset-gap', () => {
    finds([a, c, polled('r', '0@0', 'a'), polled('s', '0@2', 'c')], { 'offset-gap': 1 })
  })

  test('unseen, by one reader of two', () => {
    finds([a, b, seek('r'), seek('s'), polled('r', '0@0', 'a', 'b'), polled('s', '0@0', 'a'), end('s', 0)], {
      unseen: 1,
    })
  })

  test('unseen, by anybody yet', () => {
    finds([a, b, polled('r', '0@0', 'a')], { unseen: 1 })
  })

  test('poll-skip', () => {
    const all = polled('s', '0@0', 'a', 'b', 'c')
    finds([a, b, c, all, polled('r', '0@0', 'a'), polled('r', '0@2', 'c')], { 'poll-skip': 1 })
    finds([a, b, c, all, seek('r', { 0: 1 }), polled('r', '0@2', 'c')], { 'poll-skip': 1 })
    finds([a, b, c, all, seek('r'), polled('r', '0@1', 'b')], { 'poll-skip': 1 })
  })

  test('nonmonotonic-poll', () => {
    finds([a, b, polled('r', '0@0', 'a', 'b'), polled('r', '0@1', 'b')], { 'nonmonotonic-poll': 1 })
    finds([a, b, polled('r', '0@0', 'a', 'b'), seek('r', { 0: 1 }), polled('r', '0@0', 'a')], {
      'nonmonotonic-poll': 1,
    })
  })

  test('int-poll-skip', () => {
    finds([a, b, c, polled('s', '0@1', 'b'), frame('r', [0, 0, 'a'], [0, 2, 'c'])], { 'int-poll-skip': 1 })
  })

  test('int-nonmonotonic-poll', () => {
    finds([a, b, frame('r', [0, 0, 'a'], [0, 1, 'b'], [0, 0, 'a'])], { 'int-nonmonotonic-poll': 1 })
  })

  test('int-send-skip', () => {
    const sent = batch('ok', ['x', '0@0'], ['y', '0@2'])
    const between = produced('z', '0@1', { producer: 'q', startMs: 0 })
    finds([sent, between, polled('r', '0@0', 'x', 'z', 'y')], { 'int-send-skip': 1 })
  })

  test('torn-batch', () => {
    finds([batch('unknown', ['x', '0'], ['y', '0']), polled('r', '0@0', 'x')], { 'torn-batch': 1 })
    finds([batch('unknown', ['x', '0'], ['y', '1']), polled('r', '0@0', 'x')], {})
  })

  test('order-inversion', () => {
    const [first, second] = [produced('x', '0@1'), produced('y', '0@0', { startMs: 0 })]
    finds([first, second, polled('r', '0@0', 'y', 'x')], { 'order-inversion': 1 })
    const numbered = produced('v', undefined, { identity: 'sequence' })
    const next = produced('w', '0@0', { identity: 'sequence' })
    finds([numbered, next, polled('r', '0@0', 'w', 'v')], { 'order-inversion': 1 })
  })

  test('real-time-inversion', () => {
    const [first, second] = [produced('x', '0@1'), produced('y', '0@0', { producer: 'q' })]
    finds([first, second, polled('r', '0@0', 'y', 'x')], { 'real-time-inversion': 1 })
    const overlapping = produced('z', '0@0', { producer: 'q', startMs: first.startMs })
    finds([first, overlapping, polled('r', '0@0', 'z', 'x')], {})
  })
})

test('keeps only the first examples of an anomaly, and counts all', () => {
  const values = Array.from({ length: 50 }, (_, index) => `v${index}`)
  const finding = checkHistory([polled('r', '0@0', ...values)]).anomalies.get('never-written')
  assert.equal(finding?.count, 50)
  assert.equal(finding?.examples.length, 10)
})

test('refuses a history that two producers wrote one value into', () => {
  assert.throws(() => checkHistory([produced('a', '0@0'), produced('a', '0@1')]), /in the history .* twice/)
})

test('nobody has to have seen what was trimmed, and everybody what is above it', () => {
  const [first, second] = [produced('a', '0@0'), produced('b', '0@1')]
  const seen = [{ type: 'seek', reader: 'r', next: { 0: 1 } } as const, polled('r', '0@1', 'b')]
  const found = (below: number) => [
    ...checkHistory([first, second, ...seen, { type: 'trim', partition: 0, below }]).anomalies.keys(),
  ]
  assert.deepEqual(found(1), [])
  assert.deepEqual(found(0), ['lost-write', 'offset-gap'])
  const missing = [produced('c', '0@0'), { type: 'trim', partition: 0, below: 1 } as const]
  assert.deepEqual([...checkHistory([...missing, produced('d', '0@1')]).anomalies.keys()], ['unseen'])
})
