import type { StageTime } from '../../observability/stages.ts'
import { invariant } from '../../types/invariant.ts'
import type { Topic } from '../../types/topic.ts'
import { encodeCursor } from '../reading/cursor.ts'
import { TopicFollower, type Chunk } from '../reading/follow.ts'
import { UNREADABLE_MS_MAX } from '../reading/retry.ts'
import type { WebSocketConnection } from './connection.ts'
import { granted, type Credit, type CreditGrant } from './credit.ts'
import { Flow } from './flow.ts'
import type { ServerFrame } from './session-frames.ts'
import { startsAfterLoss, trimmedTo, type SessionStart, type StartPorts } from './session-start.ts'
import type { RecordsHead } from './session-codec.ts'

/** Small, since a subscription without credit holds one. */
const CHUNK_BYTES_MAX = 64 * 1024

export interface SessionSubscriptionOptions extends StartPorts {
  readonly sid: string
  readonly connection: WebSocketConnection
  readonly credit: Credit
  readonly send: (frame: ServerFrame) => void
  readonly encode: (chunk: Chunk, head: RecordsHead) => readonly Buffer[]
  readonly fanOut: StageTime
  /** The subscription has failed and sends nothing more. */
  readonly onFailed: (error: unknown) => void
}

interface Stage {
  readonly topic: Topic
  readonly isWholeTopic: boolean
  readonly epoch: number
  readonly flow: Flow
  readonly follower: TopicFollower
  /** What comes next of each partition after what was sent. */
  readonly places: Map<number, number>
}

/**
 * One subscription of a session: where it is, and its epochs. A new place is a new epoch with its own flow, so nothing of
 * the one before can follow it.
 */
export class SessionSubscription {
  readonly #options: SessionSubscriptionOptions
  #stage: Stage | undefined
  #credit: Credit
  #isStopped = false

  constructor(options: SessionSubscriptionOptions) {
    this.#options = options
    this.#credit = options.credit
  }

  /** Begins, or begins anew, at a start that was found for the request `id`. */
  begin(start: SessionStart, id: string): void {
    if (this.#isStopped) return
    const stage = this.#enter(start)
    const { sid, send } = this.#options
    send({
      type: 'subscribed',
      id,
      sid,
      epoch: stage.epoch,
      positions: positionsOf(stage.places),
      cursor: cursorOf(stage),
    })
    if (start.lostCount > 0) this.#sayReset(stage, start.lostCount)
    void this.#run(stage)
  }

  grant(grant: CreditGrant): void {
    // A client need not wait for its start to be found.
    if (this.#stage === undefined) this.#credit = granted(this.#credit, grant)
    else this.#stage.flow.grant(grant)
  }

  /** The partitions that were named, for a seek; undefined when it reads all of them. */
  get target():
    { readonly topicName: string; readonly partitions: readonly number[] | undefined } | undefined {
    const stage = this.#stage
    if (stage === undefined) return undefined
    return {
      topicName: stage.topic.name,
      partitions: stage.isWholeTopic ? undefined : [...stage.places.keys()],
    }
  }

  /** Undefined before it has begun. */
  state(): Extract<ServerFrame, { type: 'heartbeat' }>['subs'][number] | undefined {
    const stage = this.#stage
    if (stage === undefined) return undefined
    let highWatermark = 0
    let lag = 0
    for (const [partition, nextOffset] of stage.places) {
      const known = Math.max(nextOffset, stage.follower.highWatermarks.get(partition) ?? 0)
      highWatermark += known
      lag += known - nextOffset
    }
    return { sid: this.#options.sid, highWatermark, lag, creditLeft: stage.flow.credit ?? this.#credit }
  }

  stop(): void {
    this.#isStopped = true
    this.#stage?.flow.stop()
  }

  #enter({ topic, isWholeTopic, starts }: SessionStart): Stage {
    const before = this.#stage
    before?.flow.stop()
    this.#credit = before?.flow.credit ?? this.#credit
    const { ports, timers, connection, fanOut } = this.#options
    const follower = new TopicFollower(ports.log, topic, starts, {
      ends: undefined,
      bytesMax: CHUNK_BYTES_MAX,
      timers,
      patienceMs: UNREADABLE_MS_MAX,
      findTopic: isWholeTopic ? (name) => ports.topics.find(name) : undefined,
    })
    const flow = new Flow({
      follower,
      connection,
      credit: this.#credit,
      encode: (chunk) => this.#encode(stage, chunk),
      fanOut,
    })
    const epoch = before === undefined ? 0 : before.epoch + 1
    const stage: Stage = { topic, isWholeTopic, epoch, flow, follower, places: new Map(starts) }
    this.#stage = stage
    return stage
  }

  #encode(stage: Stage, chunk: Chunk): readonly Buffer[] {
    const { places, topic, epoch } = stage
    // Partitions that were added are followed from their first record, whichever of them has one first.
    for (let added = places.size; stage.isWholeTopic && added < chunk.partition; added++) places.set(added, 0)
    const next = places.get(chunk.partition) ?? 0
    invariant(chunk.fromOffset === next, 'Records of a partition are sent without gap or repetition.')
    places.set(chunk.partition, chunk.nextOffset)
    const { sid, encode } = this.#options
    return encode(chunk, { topicName: topic.name, sid, epoch, cursor: cursorOf(stage) })
  }

  async #run(stage: Stage): Promise<void> {
    try {
      await stage.flow.run()
    } catch (error) {
      if (this.#isStopped || this.#stage !== stage) return
      if (trimmedTo(error) === undefined) this.#options.onFailed(error)
      else await this.#goOnAfterLoss(stage, error)
    }
  }

  /** Records went before this subscriber had them: it is told how many, and goes on where the log begins now. */
  async #goOnAfterLoss(stage: Stage, loss: unknown): Promise<void> {
    try {
      const plan = new Map(
        [...stage.places].map(([partition, offset]) => [partition, { kind: 'offset', offset } as const]),
      )
      const found = await startsAfterLoss(this.#options, stage.topic, plan)
      if (this.#isStopped || this.#stage !== stage) return
      // Who is told again and again that nothing was lost would never come further.
      if (found.lostCount === 0) throw loss
      const next = this.#enter({ topic: stage.topic, isWholeTopic: stage.isWholeTopic, ...found })
      this.#sayReset(next, found.lostCount)
      void this.#run(next)
    } catch (error) {
      if (!this.#isStopped && this.#stage === stage) this.#options.onFailed(error)
    }
  }

  #sayReset(stage: Stage, lost: number): void {
    const { sid, send } = this.#options
    send({
      type: 'reset',
      sid,
      epoch: stage.epoch,
      reason: 'offset-trimmed',
      lost,
      resumeFrom: positionsOf(stage.places),
      cursor: cursorOf(stage),
    })
  }
}

function positionsOf(places: ReadonlyMap<number, number>): { partition: number; nextOffset: number }[] {
  return [...places].map(([partition, nextOffset]) => ({ partition, nextOffset }))
}

function cursorOf({ topic, isWholeTopic, places }: Stage): string {
  return encodeCursor({ topicId: topic.id, isWholeTopic, places, turn: 0 })
}
