/** What a script may ask to be done to its brokers. */
export interface Deeds {
  /** Ends the leader's process at once; it stays down until `startAll`. */
  killLeader(topic: string, partition: number): Promise<void>
  /** Ends all brokers but the first; resolves when the first one knows that it is alone. */
  stopMajority(): Promise<void>
  /** Resolves when all are there and ready. */
  startAll(): Promise<void>
}

export interface DeedRequest {
  readonly event: string
  readonly topic?: unknown
  readonly partition?: unknown
}

/** Rejects for a deed that is not known, and as the deed does. */
export function perform(deeds: Deeds, { event, topic, partition }: DeedRequest): Promise<void> {
  switch (event) {
    case 'kill-leader':
      if (typeof topic !== 'string' || typeof partition !== 'number')
        return Promise.reject(new Error("'kill-leader' needs a topic and a partition."))
      return deeds.killLeader(topic, partition)
    case 'stop-majority':
      return deeds.stopMajority()
    case 'start-all':
      return deeds.startAll()
    default:
      return Promise.reject(new Error(`'${event}' is no deed that can be asked for.`))
  }
}
