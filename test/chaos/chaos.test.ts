import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isClean, showReport } from './report.ts'
import { runChaos } from './run-chaos.ts'

/** Draws wipe-disk, truncate-file with cut-one-way, kill-all, kill-one and pause-one, one after the other. */
const SEED = 1

test('Keeps every promise while brokers die, pause, lose each other and their disks', async (t) => {
  // Kept when the test fails: it holds the history, and data and logs of the brokers.
  const folder = mkdtempSync(join(tmpdir(), 'synod-chaos-'))
  const report = await runChaos({
    folder,
    brokers: 3,
    partitions: 6,
    seed: SEED,
    faultsMs: 20_000,
    durationMs: { min: 1_500, max: 3_000 },
    quietMs: { min: 500, max: 1_500 },
    producerPauseMs: 20,
    retentionMs: null,
    say: (sentence) => t.diagnostic(sentence),
  })
  assert.ok(isClean(report), `${showReport(report)}\n\nThe history is ${report.historyPath}.`)
  for (const [producer, { ok }] of report.operations) assert.ok(ok > 0, `${producer} stored nothing`)
  assert.ok(report.faults.size >= 4, `${report.faults.size} kinds of fault`)
  assert.ok(report.verdict.seen > 3 * report.verdict.produced.ok, 'every reader reads everything')
  assert.ok(report.trims.done > 0, 'something is trimmed')
  rmSync(folder, { recursive: true })
})
