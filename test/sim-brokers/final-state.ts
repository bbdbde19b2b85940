import type { GroupId } from '../../src/types/ids.ts'
import type { Checkpoint } from '../../src/paxos/state.ts'
import type { ReadResult } from '../../src/gateway/ports.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { AnyReplica } from '../../src/partition/registry.ts'
import type { BrokerProcess, SimulatedBroker } from './broker.ts'
import { ALL_NAMES, type Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { seenRecords } from './histories.ts'
import type { BrokersScene } from './scene.ts'
import { replicasOf, topicsOf } from './settled.ts'

/** More than a run writes. */
const ALL = 1_000_000_000
const MARKS_MAX = 1_000_000

/** Holds the replicas of every group against each other: entries, offsets, and the rows of what they made of them. */
export async function compareReplicas(scene: BrokersScene): Promise<void> {
  const first = new Map<GroupId, { readonly broker: SimulatedBroker; readonly copy: Copy }>()
  for (const broker of scene.brokers.values()) {
    const process = broker.process as BrokerProcess
    for (const { group, paxos } of replicasOf(process)) {
      const copy = await copyOf(process, group, paxos)
      const other = first.get(group)
      if (other === undefined) first.set(group, { broker, copy })
      else
        for (const part of PARTS)
          scene.judge.demand(
            other.copy[part] === copy[part],
            'replicas',
            () =>
              `the ${part} of group ${group} differ: broker ${other.broker.id} has ${other.copy[part]}, broker ${broker.id} has ${copy[part]}`,
          )
    }
  }
}

const PARTS = ['start', 'entries', 'marks', 'rows'] as const
type Copy = Readonly<Record<(typeof PARTS)[number], string>>

async function copyOf(
  { store }: BrokerProcess,
  group: GroupId,
  { logStart, commit }: Pick<AnyReplica['paxos'], 'logStart' | 'commit'>,
): Promise<Copy> {
  const entries = logStart.slot > commit ? [] : await store.readEntries(group, logStart.slot, commit, ALL)
  const marks = await store.readMarks(group, logStart.offset, MARKS_MAX)
  const rows = await store.recoverRows(group)
  return {
    start: factsOf(logStart),
    entries: entries
      .map((entry) => ({ ...entry, body: hex(entry.body) }))
      .map((entry) => JSON.stringify(entry))
      .join(' '),
    marks: JSON.stringify(marks),
    rows: rows
      .map(({ key, value }) => `${hex(key)}=${value === undefined ? '' : hex(value)}`)
      .sort()
      .join(' '),
  }
}

function factsOf({
  slot,
  chain,
  partCount,
  offset,
  lastAppendedAtMs,
  logBytes,
  configuration,
}: Checkpoint): string {
  // A replica that was made to learn did not know the first configuration by its number.
  const number = Math.max(1, configuration.number)
  return [slot, chain, partCount, offset, lastAppendedAtMs, logBytes, number].join(' ')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Reads every partition of every topic at every broker to its end, as one more reader each. */
export async function readEverything(scene: BrokersScene, clients: Clients): Promise<void> {
  const { histories, truth } = clients
  for (const broker of scene.brokers.values()) {
    const process = broker.process as BrokerProcess
    const span = { startMs: scene.queue.nowMs, endMs: scene.queue.nowMs }
    const topics = topicsOf(process)
    for (const name of ALL_NAMES)
      truth.found(
        name,
        topics.find((topic) => topic.name === name),
        span,
        undefined,
      )
    for (const topic of topics) {
      const reader = `end-${broker.id}`
      const begins: number[] = []
      for (const { partition } of topic.partitions)
        begins.push(await beginOf(broker, topic, partition, clients))
      histories.reads(topic, reader, Object.fromEntries(begins.entries()))
      const ends: number[] = []
      for (const { partition } of topic.partitions) {
        let position = begins[partition] as number
        for (;;) {
          const read = await readFrom(broker, { topic, partition }, position)
          if ('beginsAt' in read) {
            clients.trims.told(topic, partition, read.beginsAt)
            position = read.beginsAt
            begins[partition] = position
            const next = [...ends, ...begins.slice(ends.length)]
            histories.reads(topic, reader, Object.fromEntries(next.entries()))
            continue
          }
          const { batches, highWatermark } = read
          const records = seenRecords(partition, batches, position)
          histories.saw(topic, reader, records)
          position += records.length
          if (records.length === 0 || position >= highWatermark) break
        }
        ends.push(position)
      }
      histories.ends(topic, reader, ends, scene.judge)
    }
  }
}

/** What is there, or where the log begins by now: it may be trimmed at any moment. */
async function readFrom(
  broker: SimulatedBroker,
  place: { readonly topic: Topic; readonly partition: number },
  fromOffset: number,
): Promise<ReadResult | { readonly beginsAt: number }> {
  try {
    return await broker.ask(({ log }) =>
      log.read({
        ...place,
        fromOffset,
        recordsMax: MARKS_MAX,
        bytesMax: ALL,
        waitMs: 0,
        signal: undefined,
      }),
    )
  } catch (error) {
    const { logStart } = refusalOf(error)
    if (logStart === undefined) throw error
    return { beginsAt: logStart }
  }
}

/** Where the partition begins at this broker, which has applied all: as trimmed as anybody was told, and no more than it may be. */
async function beginOf(
  broker: SimulatedBroker,
  topic: Topic,
  partition: number,
  { scene, trims }: Clients,
): Promise<number> {
  const logStart = await broker.ask(({ log }) => log.resolve(topic, partition, { kind: 'earliest' }))
  trims.told(topic, partition, logStart)
  const shownFrom = trims.shownFrom(topic, partition)
  scene.judge.demand(
    logStart >= shownFrom,
    'retention',
    () =>
      `${topic.name}/${partition} begins at ${logStart} at broker ${broker.id}, and was trimmed up to ${shownFrom}`,
  )
  return logStart
}
