import { eventually } from '../support/eventually.ts'
import { call, json } from '../system/api.ts'

interface TopicSpec {
  readonly partitions: number
  readonly replicationFactor: number
  readonly config: { readonly retentionMs: number | null }
}

const CHANGE_MS_MAX = 30_000
const MERGE_PATCH = { 'content-type': 'application/merge-patch+json' }

export function createTopic(urls: readonly string[], topic: string, spec: TopicSpec): Promise<void> {
  return change(urls, `/v1/topics/${topic}`, json('PUT', spec))
}

/** Nothing more goes by its age, so that all brokers can be compared. */
export function keepRest(urls: readonly string[], topic: string): Promise<void> {
  return change(urls, `/v1/topics/${topic}`, json('PATCH', { config: { retentionMs: null } }, MERGE_PATCH))
}

async function change(urls: readonly string[], path: string, request: RequestInit): Promise<void> {
  await eventually(
    async () => {
      const { status, body } = await call(urls[0]!, path, request)
      if (status !== 200 && status !== 201)
        throw new Error(`${path} was answered with ${status}: ${JSON.stringify(body)}`)
    },
    { timeoutMs: CHANGE_MS_MAX },
  )
}
