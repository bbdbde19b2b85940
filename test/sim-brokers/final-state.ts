import type { GroupId, Slot } from '../../src/types/ids.ts'
import type { Checkpoint } from '../../src/paxos/state.ts'
import type { ReadResult } from '../../src/gateway/ports.ts'
import type { Topic } from '../../src/types/topic.ts'
import type { AnyReplica } from '../../src/partition/registry.ts'
import type { BrokerProcess, SimulatedBroker } from './broker.ts'
import { ALL_NAMES, type Clients } from './clients.ts'
import { refusalOf } from './connection.ts'
import { seenRecords } from './histories.ts'
import type { BrokersScene } from './scene.ts'
import { replicasOf, topicsOf, whyNotConverged } from './settled.ts'

/** More than a run writes. */
const ALL = 1_000_000_000
const MARKS_MAX = 1_000_000

/** Holds the replicas of every group against each other: entries, offsets, and the rows of what they made of them. */
export async function compareReplicas(scene: BrokersScene): Promise<void> {
  for (;;) {
    const commits = commitsOf(scene)
    const difference = await findDifference(scene)
    // Records grow old meanwhile, and the mark that trims them is not everywhere in the same moment.
    if (whyNotConverged(scene) === undefined && commits === commitsOf(scene)) {
      scene.judge.demand(difference === undefined, 'replicas', () => difference ?? '')
      return
    }
    // Events go on in turns of the host's loop.
    await new Promise<void>((resolve) => void setImmediate(resolve))
  }
}

interface Copied {
  readonly broker: SimulatedBroker
  readonly paxos: AnyReplica['paxos']
}

function copiesOf(scene: BrokersScene): ReadonlyMap<GroupId, readonly Copied[]> {
  const copies = new Map<GroupId, Copied[]>()
  for (const broker of scene.brokers.values())
    for (const { group, paxos } of replicasOf(broker.process as BrokerProcess))
      copies.set(group, [...(copies.get(group) ?? []), { broker, paxos }])
  return copies
}

function commitsOf(scene: BrokersScene): string {
  const commits = [...copiesOf(scene)].map(([group, copies]) => [
    group,
    copies.map(({ paxos }) => paxos.commit),
  ])
  return JSON.stringify(commits)
}

async function findDifference(scene: BrokersScene): Promise<string | undefined> {
  for (const [group, copies] of copiesOf(scene)) {
    const newest = copies
      .map(({ paxos }) => paxos.logStart)
      .reduce((one, other) => (other.slot > one.slot ? other : one))
    let first: { readonly id: number; readonly facts: Facts } | undefined
    for (const { broker, paxos } of copies) {
      const { id } = broker
      const facts = await factsOf(broker.process as BrokerProcess, group, {
        commit: paxos.commit,
        from: newest,
      })
      // A crash between a mark and its checkpoint only means that this one keeps its log longer, until the next mark.
      const mayBeginEarlier = broker.life > 1 && paxos.logStart.slot < newest.slot
      const start = mayBeginEarlier ? startOf(newest) : startOf(paxos.logStart)
      const all = { ...facts, start }
      first ??= { id, facts: all }
      for (const part of PARTS)
        if (first.facts[part] !== all[part])
          return `the ${part} of group ${group} differ: broker ${first.id} has ${first.facts[part]}, broker ${id} has ${all[part]}`
    }
  }
  return undefined
}

const PARTS = ['start', 'entries', 'marks', 'rows'] as const
type Facts = Readonly<Record<(typeof PARTS)[number], string>>

/** What a replica holds, its log from a place on that all of its group still have. */
async function factsOf(
  { store }: BrokerProcess,
  group: GroupId,
  { commit, from }: { readonly commit: Slot; readonly from: Checkpoint },
): Promise<Omit<Facts, 'start'>> {
  const entries = from.slot > commit ? [] : await store.readEntries(group, from.slot, commit, ALL)
  const marks = await store.readMarks(group, from.offset, MARKS_MAX)
  const rows = await store.recoverRows(group)
  return {
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

function startOf({
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
