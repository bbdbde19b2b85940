import { eventually } from '../support/eventually.ts'

/** Thin calls for system tests: they speak HTTP to a broker as any client does. */
export interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Headers
}

export async function call(url: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url + path, init)
  const text = await response.text()
  const isJson = (response.headers.get('content-type') ?? '').includes('json')
  return {
    status: response.status,
    body: (isJson ? JSON.parse(text) : { text }) as Record<string, unknown>,
    headers: response.headers,
  }
}

export function json(method: string, body: unknown, headers: Record<string, string> = {}): RequestInit {
  return { method, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) }
}

export async function produce(
  url: string,
  topic: string,
  value: string,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return call(url, `/v1/topics/${topic}/records`, {
    method: 'POST',
    body: value,
    headers: { 'content-type': 'text/plain', ...headers },
  })
}

interface TopicBody {
  readonly partitions: readonly {
    partition: number
    /** Left out while none is known. */
    leader?: string
    /** The preferred leader first. */
    replicas: readonly string[]
    inSync: readonly string[] | null
    highWatermark: number
  }[]
}

export async function topicOf(url: string, topic: string): Promise<TopicBody> {
  const answer = await call(url, `/v1/topics/${topic}`)
  if (answer.status !== 200)
    throw new Error(`GET topic answered ${answer.status}: ${JSON.stringify(answer.body)}`)
  return answer.body as unknown as TopicBody
}

/** The broker that leads most partitions of the topic, once each of them has a leader. */
export async function busiestLeader(url: string, topic: string): Promise<string> {
  const leaders = await eventually(async () => {
    const { partitions } = await topicOf(url, topic)
    return partitions.map(({ partition, leader }) => {
      if (leader === undefined) throw new Error(`Partition ${partition} of ${topic} has no leader.`)
      return leader
    })
  })
  const counts = new Map<string, number>()
  for (const leader of leaders) counts.set(leader, (counts.get(leader) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]![0]
}
