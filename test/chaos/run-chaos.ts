import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from '../history/check-history.ts'
import { checkHistoryFile, HistoryFile } from '../history/history-file.ts'
import type { Operation, Outcome } from '../history/operation.ts'
import { Random } from '../sim/random.ts'
import { eventually } from '../support/eventually.ts'
import { ChaosCluster } from './chaos-cluster.ts'
import { startProducers, startReaders } from './clients.ts'
import { DamageAtlas, type Cure } from './damage-atlas.ts'
import { inflict } from './faults.ts'
import { compareBrokers, untilEqualBegins, untilInSync } from './final-state.ts'
import { GapWatch, type Gap, type GapKind, type PastEpisode } from './gaps.ts'
import { MemoryWatch, type MemoryUse } from './memory.ts'
import { Nurse } from './nurse.ts'
import { createTopic, keepRest } from './topic.ts'
import { Trimmer, type TrimCounts } from './trimmer.ts'
import type { Reader } from './readers.ts'
import {
  DAMAGE_KINDS,
  DISK_KINDS,
  REPLICAS,
  schedule,
  showFault,
  type Episode,
  type FaultKind,
} from './schedule.ts'

export interface ChaosOptions {
  /** Data, logs and the history go there; it exists. */
  readonly folder: string
  readonly brokers: number
  readonly partitions: number
  readonly seed: number
  /** How long faults go on. */
  readonly faultsMs: number
  /** How long one lasts. */
  readonly durationMs: { readonly min: number; readonly max: number }
  readonly quietMs: { readonly min: number; readonly max: number }
  /** The kinds of fault to draw from; all if left out. */
  readonly kinds?: readonly FaultKind[] | undefined
  /** The library by which disks can be spoiled; without it faults of disks do not come. */
  readonly diskShim?: string | undefined
  /** Of each producer, between two operations. */
  readonly producerPauseMs: number
  /** How long the topic keeps records; null: until somebody trims it. */
  readonly retentionMs: number | null
  say(sentence: string): void
}

export interface ChaosReport {
  readonly verdict: Verdict
  readonly historyPath: string
  /** Operations by producer and what it was told. */
  readonly operations: ReadonlyMap<string, Readonly<Record<Outcome, number>>>
  readonly faults: ReadonlyMap<FaultKind, number>
  /** When the time of faults began. */
  readonly startMs: number
  readonly gaps: ReadonlyMap<GapKind, Gap>
  /** Resident MiB of each broker when the load had begun, at the end, and the most seen. */
  readonly memory: ReadonlyMap<number, MemoryUse>
  /** Disks that were damaged and hold everything again. */
  readonly cures: readonly Cure[]
  readonly trims: TrimCounts
  /** What is wrong beside the anomalies of the history: a sentence each. */
  readonly wrongs: readonly string[]
}

const TOPIC = 'chaos'
const HEAL_MS_MAX = 90_000
const SAMPLE_MS = 1_000
const WRONGS_MAX = 50

/** Starts a cluster, loads it, spoils it, heals it, and judges what everybody was told and saw. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  mkdirSync(options.folder, { recursive: true })
  const cluster = await ChaosCluster.start(options)
  const run = new ChaosRun(options, cluster)
  try {
    return await run.run()
  } finally {
    await cluster.stop()
  }
}

class ChaosRun {
  readonly #options: ChaosOptions
  readonly #cluster: ChaosCluster
  readonly #random: Random
  readonly #history: HistoryFile
  readonly #operations = new Map<string, Record<Outcome, number>>()
  readonly #faults = new Map<FaultKind, number>()
  readonly #episodes: PastEpisode[] = []
  readonly #gaps = new GapWatch()
  readonly #memory = new Map<number, MemoryWatch>()
  readonly #wrongs: string[] = []
  readonly #atlas = new DamageAtlas(REPLICAS)
  #startMs = 0

  constructor(options: ChaosOptions, cluster: ChaosCluster) {
    this.#options = options
    this.#cluster = cluster
    this.#random = new Random(options.seed)
    this.#history = new HistoryFile(join(options.folder, 'history.jsonl'))
  }

  async run(): Promise<ChaosReport> {
    const { brokers, partitions, retentionMs } = this.#options
    const replicas = Math.min(brokers, REPLICAS)
    const { urls } = this.#cluster
    const load = { urls, topic: TOPIC, partitions }
    await createTopic(urls, TOPIC, { partitions, replicationFactor: replicas, config: { retentionMs } })
    await untilInSync(urls, TOPIC, { replicas, timeoutMs: HEAL_MS_MAX })
    const wrong = (sentence: string): void => this.#wrong(sentence)
    const trimmer = new Trimmer({ ...load, random: this.#random.fork('trims'), retentionMs, wrong })
    const clients = {
      ...load,
      random: this.#random,
      pauseMs: this.#options.producerPauseMs,
      record: (operation: Operation) => {
        this.#record(operation)
        if (operation.type === 'produce') trimmer.stored(operation)
      },
      trimmed: (partition: number, logStart: number) => trimmer.told(partition, logStart),
      unexpected: (sentence: string) => this.#wrong(sentence),
    }
    const producers = startProducers(clients)
    const readers = startReaders(clients)
    const sampling = setInterval(() => this.#sampleMemory(), SAMPLE_MS)
    const nurse = new Nurse({
      cluster: this.#cluster,
      atlas: this.#atlas,
      topic: TOPIC,
      say: this.#options.say,
    })
    let trims: TrimCounts
    try {
      await this.#spoil()
      await Promise.all([trimmer, ...producers].map((each) => each.stop()))
      await this.#untilWell(nurse)
      await keepRest(urls, TOPIC).catch((error: unknown) => this.#wrong(String(error)))
      await this.#settle(readers, { replicas, trimmer })
    } finally {
      clearInterval(sampling)
      await Promise.all([nurse, trimmer, ...producers, ...readers].map((each) => each.stop()))
      trims = trimmer.finish((partition, below) => this.#history.add({ type: 'trim', partition, below }))
      await this.#history.close()
    }
    const { unexpectedEnds } = this.#cluster
    for (const { broker, reason } of unexpectedEnds)
      this.#wrong(`Broker ${broker} ended by itself: ${reason}.`)
    return {
      verdict: await checkHistoryFile(this.#history.path),
      historyPath: this.#history.path,
      operations: this.#operations,
      faults: this.#faults,
      startMs: this.#startMs,
      gaps: this.#gaps.byKind(this.#episodes),
      memory: new Map([...this.#memory].map(([id, watch]) => [id, watch.use])),
      cures: this.#atlas.cures,
      trims,
      wrongs: this.#wrongs,
    }
  }

  /** Faults and quiet in turn, until the time is over; none is left. */
  async #spoil(): Promise<void> {
    const { faultsMs, say, durationMs, quietMs, kinds, diskShim } = this.#options
    const startMs = performance.now()
    this.#startMs = startMs
    const episodes = schedule({
      random: this.#random.fork('faults'),
      ids: this.#cluster.ids,
      durationMs,
      quietMs,
      kinds,
      without: [
        ...(diskShim === undefined ? DISK_KINDS : []),
        ...(this.#options.brokers > REPLICAS ? [] : (['move-replicas'] as const)),
        ...(this.#options.brokers < REPLICAS ? DAMAGE_KINDS : []),
      ],
    })
    await pause(quietMs.min)
    for (const episode of episodes) {
      if (performance.now() - startMs > faultsMs) return
      const atS = ((performance.now() - startMs) / 1_000).toFixed(1)
      say(
        `${atS} s: ${episode.faults.map(showFault).join(' and ')} for ${(episode.durationMs / 1_000).toFixed(1)} s`,
      )
      await this.#suffer(episode)
      await pause(episode.quietMs)
    }
  }

  async #suffer({ faults, durationMs }: Episode): Promise<void> {
    const { partitions, say } = this.#options
    const startMs = performance.now()
    for (const { kind } of faults) this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + 1)
    const heals = await Promise.all(
      faults.map((fault) =>
        inflict(this.#cluster, fault, { topic: TOPIC, partitions, damage: { atlas: this.#atlas, say } }),
      ),
    )
    await pause(durationMs)
    await Promise.all(heals.map((heal) => heal()))
    this.#episodes.push({ kinds: faults.map(({ kind }) => kind), startMs, endMs: performance.now() })
  }

  /** Every damaged disk holds again all that it should. */
  async #untilWell(nurse: Nurse): Promise<void> {
    await Promise.all(this.#cluster.ids.map((id) => this.#cluster.launch(id)))
    await eventually(
      () => {
        if (nurse.whyNotWell !== undefined) throw new Error(nurse.whyNotWell)
      },
      { timeoutMs: HEAL_MS_MAX },
    ).catch((error: unknown) => this.#wrong(`Not well within ${HEAL_MS_MAX} ms: ${String(error)}`))
  }

  /** Waits until all replicas are equal and all readers are through, and reads everything once more. */
  async #settle(
    readers: readonly Reader[],
    { replicas, trimmer }: { readonly replicas: number; readonly trimmer: Trimmer },
  ): Promise<void> {
    const { urls } = this.#cluster
    this.#sampleMemory()
    let highWatermarks: ReadonlyMap<number, number>
    let begins: ReadonlyMap<number, number>
    try {
      highWatermarks = await untilInSync(urls, TOPIC, { replicas, timeoutMs: HEAL_MS_MAX })
      const partitions = highWatermarks.keys()
      begins = await untilEqualBegins(urls, TOPIC, { partitions, timeoutMs: HEAL_MS_MAX })
      for (const [partition, begin] of begins) trimmer.told(partition, begin)
    } catch (error) {
      this.#wrong(`Not healed within ${HEAL_MS_MAX} ms: ${String(error)}`)
      return
    }
    await eventually(
      () => {
        const behind = readers.filter((reader) => !reader.hasReached(highWatermarks))
        if (behind.length > 0) throw new Error(`${behind.map(({ name }) => name).join(', ')} stay behind.`)
      },
      { timeoutMs: HEAL_MS_MAX },
    ).catch((error: unknown) => this.#wrong(String(error)))
    const differences = await compareBrokers(urls, TOPIC, {
      highWatermarks,
      begins,
      timeoutMs: HEAL_MS_MAX,
      record: (operation) => this.#record(operation),
    })
    for (const difference of differences) this.#wrong(difference)
  }

  #record(operation: Operation): void {
    this.#history.add(operation)
    if (operation.type !== 'produce') return
    this.#gaps.add(operation)
    const counts = this.#operations.get(operation.producer) ?? { ok: 0, unknown: 0, failed: 0 }
    this.#operations.set(operation.producer, counts)
    counts[operation.outcome]++
  }

  #wrong(sentence: string): void {
    if (this.#wrongs.length < WRONGS_MAX) this.#wrongs.push(sentence)
    this.#options.say(`WRONG: ${sentence}`)
  }

  #sampleMemory(): void {
    for (const id of this.#cluster.ids) {
      const sample = this.#cluster.memoryOf(id)
      if (sample === undefined) continue
      const watch = this.#memory.get(id) ?? new MemoryWatch()
      this.#memory.set(id, watch)
      watch.add({ ...sample, atMs: performance.now() })
    }
  }
}

function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs))
}
