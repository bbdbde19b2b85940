import { call, callJson, ProblemError } from '../http.ts'
import type { ClusterView, OwnAnswer, PartitionView } from './cluster.ts'

const CALL_TIMEOUT_MS = 5_000
const TOPICS_AT_ONCE = 8
/** A cluster holds at most 20,000 partitions, so no list is longer than this many pages. */
const PAGES_MAX = 1_000

interface BrokerAnswer {
  readonly id: string
  readonly url: string
  readonly state: string
  readonly reason?: string
  readonly version?: string
}

/** Asks one broker about the cluster and each broker about itself. Errors: as `callJson`. */
export async function lookAtCluster(url: string): Promise<ClusterView> {
  const options = { timeoutMs: CALL_TIMEOUT_MS }
  const [cluster, brokers] = await Promise.all([
    callJson<{ id: string; controller?: string | null }>(url, 'v1/cluster', options),
    callJson<{ items: readonly BrokerAnswer[] }>(url, 'v1/brokers', options),
  ])
  const asked = brokers.items.map(async (broker) => ({ ...broker, own: await askItself(broker.url) }))
  return { id: cluster.id, controller: cluster.controller ?? undefined, brokers: await Promise.all(asked) }
}

/** What the broker at a URL says of itself. */
async function askItself(url: string): Promise<OwnAnswer> {
  try {
    const response = await fetch(new URL('readyz', `${url}/`), {
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    })
    const body = (await response.json()) as { readonly reason?: string }
    const broker = response.headers.get('synod-broker')
    const dateMs = Date.parse(response.headers.get('date') ?? '')
    return {
      hasAnswered: broker !== null,
      isReady: response.ok,
      reason: body.reason,
      clockAheadMs: Number.isNaN(dateMs) ? undefined : dateMs - Date.now(),
    }
  } catch {
    // Whatever it was that failed: nobody answers there as a broker does.
    return { hasAnswered: false, isReady: false, reason: undefined, clockAheadMs: undefined }
  }
}

/** The id of the broker that answers there, if one does. */
export async function brokerAt(url: string): Promise<string | undefined> {
  try {
    const response = await call(url, 'livez', { timeoutMs: CALL_TIMEOUT_MS })
    await response.body?.cancel()
    return response.headers.get('synod-broker') ?? undefined
  } catch {
    return undefined
  }
}

/** Every partition of every topic. Errors: as `callJson`. */
export async function lookAtPartitions(url: string): Promise<readonly PartitionView[]> {
  const names: string[] = []
  let pageToken: string | undefined
  for (let page = 0; page < PAGES_MAX; page++) {
    const query = new URLSearchParams({ limit: '1000', ...(pageToken === undefined ? {} : { pageToken }) })
    const answer = await callJson<{ items: readonly { name: string }[]; nextPageToken?: string }>(
      url,
      `v1/topics?${query.toString()}`,
      { timeoutMs: CALL_TIMEOUT_MS },
    )
    names.push(...answer.items.map(({ name }) => name))
    pageToken = answer.nextPageToken
    if (pageToken === undefined) break
  }
  const partitions: PartitionView[] = []
  for (let at = 0; at < names.length; at += TOPICS_AT_ONCE)
    partitions.push(
      ...(
        await Promise.all(names.slice(at, at + TOPICS_AT_ONCE).map((name) => partitionsOf(url, name)))
      ).flat(),
    )
  return partitions
}

async function partitionsOf(url: string, topic: string): Promise<readonly PartitionView[]> {
  try {
    const answer = await callJson<{ partitions: readonly Omit<PartitionView, 'topic'>[] }>(
      url,
      `v1/topics/${encodeURIComponent(topic)}`,
      { timeoutMs: CALL_TIMEOUT_MS },
    )
    return answer.partitions.map((partition) => ({ ...partition, topic }))
  } catch (error) {
    // Deleted since it was listed.
    if (error instanceof ProblemError && error.status === 404) return []
    throw error
  }
}
