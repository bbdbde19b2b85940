import { SynodError } from '../../src/errors.ts'
import type { PartitionState, PaxosState, Topics, TopicSpec } from '../../src/gateway/ports.ts'
import { brokerId, groupId, topicId } from '../../src/types/ids.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'
import type { Topic, TopicConfig } from '../../src/types/topic.ts'
import { leaderOf } from './fake-log.ts'
import type { FakeLog } from './fake-log.ts'

export class FakeTopics implements Topics {
  readonly #topics = new Map<string, Topic>()
  readonly #log: FakeLog
  readonly #brokers: readonly BrokerId[]
  #idCount = 0
  #groupCount = 0
  createCount = 0

  constructor(log: FakeLog, brokers: readonly BrokerId[]) {
    this.#log = log
    this.#brokers = brokers
  }

  /** For tests that need a topic without awaiting. */
  add(name: string, partitions = 1, config: Partial<TopicConfig> = {}): Topic {
    const topic: Topic = {
      id: topicId(String(++this.#idCount)),
      name,
      config: { ...DEFAULT_TOPIC_CONFIG, ...config },
      partitions: Array.from({ length: partitions }, (_, partition) => ({
        partition,
        group: groupId(++this.#groupCount),
        replicas: this.#brokers,
        configuration: 1,
        learners: [],
        change: undefined,
      })),
      createdAtMs: this.#log.nowMs(),
      revision: 1,
    }
    this.#topics.set(name, topic)
    return topic
  }

  find(name: string): Promise<Topic | undefined> {
    return Promise.resolve(this.#topics.get(name))
  }

  list(query: { readonly prefix: string; readonly after: string; readonly limit: number }): readonly Topic[] {
    return [...this.#topics.values()]
      .filter((topic) => topic.name.startsWith(query.prefix) && topic.name > query.after)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .slice(0, query.limit)
  }

  suggest(name: string): string | undefined {
    return [...this.#topics.keys()].find((known) => known.slice(0, 3) === name.slice(0, 3))
  }

  async create(name: string, spec: TopicSpec): Promise<{ readonly topic: Topic; readonly created: boolean }> {
    this.createCount++
    const known = this.#topics.get(name)
    if (known !== undefined) {
      const differences = differencesOf(known, spec)
      if (differences.length > 0)
        throw new SynodError('topic-config-differs', `Topic '${name}' exists and is different.`, {
          facts: { differences },
        })
      return { topic: known, created: false }
    }
    if ((spec.replicationFactor ?? 1) > this.#brokers.length)
      throw new SynodError('not-enough-brokers', `${spec.replicationFactor} replicas need as many brokers.`)
    await Promise.resolve()
    return { topic: this.add(name, spec.partitions ?? 1, spec.config), created: true }
  }

  alter(
    name: string,
    change: { readonly config: Partial<TopicConfig>; readonly partitions: number | undefined },
    ifRevision: number | undefined,
  ): Promise<Topic> {
    const topic = this.#existing(name, ifRevision)
    const count = change.partitions ?? topic.partitions.length
    if (count < topic.partitions.length)
      throw new SynodError('invalid-config', 'Partitions never become fewer.')
    const partitions = Array.from(
      { length: count },
      (_, partition) =>
        topic.partitions[partition] ?? {
          partition,
          group: groupId(++this.#groupCount),
          replicas: this.#brokers,
          configuration: 1,
          learners: [],
          change: undefined,
        },
    )
    const altered: Topic = {
      ...topic,
      config: { ...topic.config, ...change.config },
      partitions,
      revision: topic.revision + 1,
    }
    this.#topics.set(name, altered)
    return Promise.resolve(altered)
  }

  async delete(name: string, ifRevision: number | undefined): Promise<void> {
    this.#existing(name, ifRevision)
    this.#topics.delete(name)
    await Promise.resolve()
  }

  #existing(name: string, ifRevision: number | undefined): Topic {
    const topic = this.#topics.get(name)
    if (topic === undefined) throw new SynodError('topic-not-found', `There is no topic '${name}'.`)
    if (ifRevision !== undefined && ifRevision !== topic.revision)
      throw new SynodError('etag-mismatch', `Topic '${name}' is at "${topic.revision}".`)
    return topic
  }

  describe(topic: Topic): Promise<readonly PartitionState[]> {
    return Promise.resolve(
      topic.partitions.map((placement): PartitionState => {
        const state = this.#log.partition(topic, placement.partition)
        return {
          partition: placement.partition,
          leader: placement.replicas[0],
          replicas: placement.replicas,
          inSync: placement.replicas,
          logStart: state.logStart,
          highWatermark: state.highWatermark,
          sizeBytes: state.batches.reduce((sum, batch) => sum + batch.byteLength, 0),
        }
      }),
    )
  }

  /** In the order of arrival. */
  readonly moves: { readonly partition: number; readonly to: number }[] = []

  moveLeader(topic: Topic, partition: number, to: BrokerId): Promise<void> {
    if (topic.partitions[partition]?.replicas.includes(to) !== true)
      return Promise.reject(new SynodError('not-a-replica', `Broker ${to} holds no replica.`))
    this.moves.push({ partition, to })
    return Promise.resolve()
  }

  trim(topic: Topic, partition: number, beforeOffset: number): Promise<number> {
    const state = this.#log.partition(topic, partition)
    if (beforeOffset > state.highWatermark)
      return Promise.reject(
        new SynodError('offset-out-of-range', `Offset ${beforeOffset} is beyond the end.`, {
          facts: { highWatermark: state.highWatermark },
        }),
      )
    state.logStart = Math.max(state.logStart, beforeOffset)
    return Promise.resolve(state.logStart)
  }

  paxos(topic: Topic, partition: number): Promise<PaxosState> {
    const state = this.#log.partition(topic, partition)
    return Promise.resolve({
      answeredBy: brokerId(1),
      ballot: '3.1',
      leader: leaderOf(topic, partition),
      role: 'leader' as const,
      promised: '3.1',
      accepted: '3.1',
      acceptedSlot: state.batches.length,
      chosen: state.batches.length,
      highWatermark: state.highWatermark,
      replicas: this.#brokers.map((broker) => ({
        broker,
        acceptedSlot: state.batches.length,
        lagMs: 0,
        lagSlots: 0,
        inSync: true,
        state: broker === 1 ? ('leader' as const) : ('synced' as const),
      })),
    })
  }
}

function differencesOf(topic: Topic, spec: TopicSpec): { field: string; actual: unknown; asked: unknown }[] {
  const differences: { field: string; actual: unknown; asked: unknown }[] = []
  if (spec.partitions !== undefined && spec.partitions !== topic.partitions.length)
    differences.push({ field: 'partitions', actual: topic.partitions.length, asked: spec.partitions })
  for (const [field, asked] of Object.entries(spec.config)) {
    const actual = new Map<string, unknown>(Object.entries(topic.config)).get(field)
    if (asked !== undefined && asked !== actual) differences.push({ field: `config.${field}`, actual, asked })
  }
  return differences
}
