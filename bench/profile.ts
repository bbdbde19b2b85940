import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Bodies } from './compare/bodies.ts'
import { startSynod } from './compare/systems/synod.ts'
import { Inspector } from './inspector.ts'
import { benchOptions } from './options.ts'
import { cpuSeconds } from './processes.ts'

/**
 * Where does the processor time of the leader go? Three brokers under W1 (`--in-flight`, `--records` of 1 KiB a request, a topic of
 * `--partitions`), the main thread of the one that is asked sampled for `--seconds`. Prints what each part of the source took, and writes `bench/results/leader.cpuprofile`:
 * as a flame graph in the browser's developer tools (Performance, load profile) or https://www.speedscope.app.
 * `npm run bench:profile [-- --seconds 5 --records 1 --in-flight 64 --partitions 1]`
 */
const WARM_UP_SECONDS = 3
const SAMPLE_US = 500
const SHOWN_MAX = 30

interface Profile {
  readonly nodes: readonly { id: number; callFrame: CallFrame; children?: readonly number[] }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

interface CallFrame {
  readonly functionName: string
  readonly url: string
  readonly lineNumber: number
}

async function main(): Promise<void> {
  const {
    seconds,
    records,
    'in-flight': inFlight,
    partitions,
  } = benchOptions({ seconds: 5, records: 1, 'in-flight': 64, partitions: 1 }).counts
  const folder = await mkdtemp(join(tmpdir(), 'synod-profile-'))
  const synod = await startSynod(folder, new Bodies(folder))
  try {
    const topic = await synod.on(partitions)
    const work = { inFlight, records, bytes: 1024 }
    const before = synod.pids.map((pid) => cpuSeconds([pid]))
    await topic.load({ ...work, seconds: WARM_UP_SECONDS })
    const used = synod.pids.map((pid, index) => cpuSeconds([pid]) - before[index]!)
    const leader = synod.pids[used.indexOf(Math.max(...used))]!
    const inspector = await Inspector.open(leader)
    await inspector.ask('Profiler.enable')
    await inspector.ask('Profiler.setSamplingInterval', { interval: SAMPLE_US })
    await inspector.ask('Profiler.start')
    const { ok } = await topic.load({ ...work, seconds })
    const { profile } = (await inspector.ask('Profiler.stop')) as { profile: Profile }
    inspector.close()
    const results = new URL('../../bench/results/', import.meta.url)
    await mkdir(results, { recursive: true })
    await writeFile(new URL('leader.cpuprofile', results), JSON.stringify(profile))
    report(profile, ok * records)
  } finally {
    await synod.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Microseconds a record by the part of the source that ran, or that called what ran; by what ran itself outside of it. */
function report({ nodes, samples, timeDeltas }: Profile, records: number): void {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const callers = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id])))
  const byPart = new Map<string, number>()
  const byPlace = new Map<string, number>()
  let busy = 0
  samples.forEach((id, index) => {
    const { functionName } = frames.get(id)!
    if (functionName === '(idle)') return
    const took = timeDeltas[index]!
    busy += took
    let place = functionName.startsWith('(') ? functionName : `node: ${functionName}`
    for (let at: number | undefined = id; at !== undefined; at = callers.get(at)) {
      const { url, functionName: name, lineNumber } = frames.get(at)!
      const file = url.split('/dist/src/')[1]
      if (file === undefined) continue
      place = `${file} ${name}:${lineNumber}`
      break
    }
    byPlace.set(place, (byPlace.get(place) ?? 0) + took)
    const part = /^(?:node:|\()/.test(place) ? place.split(' ')[0]! : place.split('/')[0]!
    byPart.set(part, (byPart.get(part) ?? 0) + took)
  })
  const print = (title: string, times: ReadonlyMap<string, number>) => {
    console.log(`\n${title}`)
    for (const [name, took] of [...times].sort((one, other) => other[1] - one[1]).slice(0, SHOWN_MAX))
      console.log(`${(took / records).toFixed(2).padStart(8)}  ${name}`)
  }
  console.log(
    `${records} records; the leader's main thread was busy for ${(busy / records).toFixed(1)} µs a record.`,
  )
  print('µs a record, by folder', byPart)
  print('µs a record, by function (what node and LevelDB do for it included)', byPlace)
}

await main()
