import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { tempDir } from '../support/temp-dir.ts'
import { checkHistory } from './check-history.ts'
import { checkHistoryFile, HistoryFile } from './history-file.ts'
import { MUTATIONS } from './mutations.ts'
import { randomHistory } from './random-history.ts'
import { Random } from '../sim/random.ts'

test('says of a history in a file what it says of the same one in memory', async (t) => {
  const history = MUTATIONS['lost-write']?.(randomHistory(1), new Random(1)) ?? []
  const file = new HistoryFile(join(tempDir(t), 'history.jsonl'))
  for (const operation of history) file.add(operation)
  await file.close()
  const verdict = await checkHistoryFile(file.path)
  assert.ok(verdict.anomalies.has('lost-write'))
  assert.deepEqual(verdict, checkHistory(history))
})

/** In time that grows with the square of the length this would take minutes. */
test('checks 200,000 records that were stored and read', () => {
  const values = Array.from({ length: 200_000 }, (_, index) => `v${index}`)
  const { anomalies } = checkHistory([
    ...values.map((value, offset) => ({
      type: 'produce' as const,
      producer: 'p',
      identity: 'none' as const,
      startMs: offset,
      endMs: offset + 0.5,
      outcome: 'ok' as const,
      records: [{ value, partition: 0, offset }],
    })),
    { type: 'poll', reader: 'r', records: values.map((value, offset) => [0, offset, value] as const) },
  ])
  assert.equal(anomalies.size, 0)
})
