/** What the API tells of a topic, as far as commands look at it. */
export interface TopicAnswer {
  readonly name: string
  readonly id: string
  readonly partitions: readonly PartitionAnswer[]
  readonly config: Readonly<Record<string, unknown>>
  readonly createdAt: string
}

export interface PartitionAnswer {
  readonly partition: number
  readonly leader?: string | null
  readonly replicas: readonly string[]
  readonly inSync?: readonly string[] | null
  readonly logStart?: number | null
  readonly highWatermark?: number | null
  readonly sizeBytes?: number | null
}

export interface TopicList {
  readonly items: readonly { readonly name: string }[]
  readonly nextPageToken?: string
}

export function topicPath(name: string): string {
  return `v1/topics/${encodeURIComponent(name)}`
}
