import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildDiskShim } from './disk/disk-shim.ts'
import { isClean, showReport } from './report.ts'
import { runChaos } from './run-chaos.ts'
import { DISK_KINDS, FAULT_KINDS } from './schedule.ts'

const USAGE = `npm run chaos -- --minutes N [--brokers 3] [--partitions 12] [--seed S] [--retention-s 60] [--only KIND,KIND] [--keep]
kinds: ${FAULT_KINDS.join(', ')}
--retention-s: for so long the topic keeps records; 0: until they are trimmed.
--keep keeps the history, data and logs of a run that is clean, too.`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '5' },
      brokers: { type: 'string', default: '3' },
      partitions: { type: 'string', default: '12' },
      'retention-s': { type: 'string', default: '60' },
      only: { type: 'string' },
      keep: { type: 'boolean', default: false },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    },
  })
  const [minutes, brokers, partitions, seed, retentionS] = [
    values.minutes,
    values.brokers,
    values.partitions,
    values.seed,
    values['retention-s'],
  ].map(Number) as [number, number, number, number, number]
  const kinds = values.only?.split(',').flatMap((name) => FAULT_KINDS.filter((kind) => kind === name))
  const areKindsKnown = kinds?.length === values.only?.split(',').length
  if (
    !areKindsKnown ||
    !(minutes > 0) ||
    !(brokers >= 2 && brokers <= 7) ||
    !(partitions >= 1) ||
    !(retentionS >= 0) ||
    !Number.isSafeInteger(seed)
  ) {
    console.error(USAGE)
    return 2
  }
  const folder = mkdtempSync(join(tmpdir(), 'synod-chaos-'))
  console.log(`seed ${seed}, ${brokers} brokers, ${partitions} partitions, ${minutes} minutes, in ${folder}`)
  const shim = buildDiskShim(folder)
  if ('missing' in shim) {
    console.log(`${shim.missing} Faults of disks do not come.`)
    if (kinds?.every((kind) => DISK_KINDS.includes(kind)) === true) return 2
  }
  const report = await runChaos({
    folder,
    brokers,
    partitions,
    seed,
    faultsMs: minutes * 60_000,
    durationMs: { min: 2_000, max: 10_000 },
    quietMs: { min: 2_000, max: 6_000 },
    kinds,
    diskShim: 'library' in shim ? shim.library : undefined,
    producerPauseMs: 20,
    retentionMs: retentionS === 0 ? null : Math.ceil(retentionS * 1_000),
    say: (sentence) => console.log(sentence),
  })
  console.log(`\n${showReport(report)}\n`)
  if (isClean(report)) {
    if (!values.keep) rmSync(folder, { recursive: true })
    console.log(values.keep ? `Nothing is wrong. The history is ${report.historyPath}.` : 'Nothing is wrong.')
    return 0
  }
  console.log(`Something is wrong. The history is ${report.historyPath}; data and logs are beside it.`)
  return 1
}

// Brokers that were stopped by a signal would outlive this process; at an orderly exit none is left.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exitCode = await main()
