import { callJson, ProblemError } from '../http.ts'
import { tryAgain } from '../try-again.ts'
import type { Chunk } from './chunks.ts'
import type { SingleRecord } from './record-line.ts'

export interface SendTo {
  readonly url: string
  /** Where records of the topic are produced, below the URL. */
  readonly topicPath: string
  readonly producerId: string
  readonly retrySeconds: number
}

interface Receipt {
  readonly duplicate: boolean
}

export interface Sent {
  readonly storedCount: number
  /** Stored by an earlier run. */
  readonly knownCount: number
}

/**
 * Stores a chunk once, however often it is sent. Of a chunk whose beginning an earlier run stored alone (its input ended
 * there) the rest is sent. Errors: 'sequence-gap' when the cluster knows less of this producer than was sent.
 */
export async function sendChunk(chunk: Chunk, to: SendTo): Promise<Sent> {
  try {
    const receipts = await send(chunk, to)
    const knownCount = receipts.filter(({ duplicate }) => duplicate).length
    return { storedCount: receipts.length - knownCount, knownCount }
  } catch (error) {
    const knownCount = knownAlready(error, chunk)
    if (knownCount === 0) throw error
    const rest = { ...chunk, seq: chunk.seq + knownCount, records: chunk.records.slice(knownCount) }
    const sent = await sendChunk(rest, to)
    return { ...sent, knownCount: sent.knownCount + knownCount }
  }
}

function knownAlready(error: unknown, { seq, records }: Chunk): number {
  if (!(error instanceof ProblemError) || error.problem.code !== 'sequence-gap') return 0
  const { expectedSeq = seq } = error.problem
  return expectedSeq > seq && expectedSeq < seq + records.length ? expectedSeq - seq : 0
}

async function send(chunk: Chunk, to: SendTo): Promise<readonly Receipt[]> {
  const producer = {
    'producer-id': to.producerId,
    'producer-epoch': '0',
    'producer-seq': String(chunk.seq),
  }
  const texts: string[] = []
  for (const { body } of chunk.records) {
    if (typeof body !== 'string') return [await sendSingle(body, chunk.partition, producer, to)]
    texts.push(body)
  }
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...producer },
    body: `{"records":[${texts.join(',')}]}`,
  }
  const { results } = await tryAgain(to.retrySeconds, () =>
    callJson<{ results: readonly Receipt[] }>(to.url, `${to.topicPath}/batches`, request),
  )
  return results
}

function sendSingle(
  { key, value, headers }: SingleRecord,
  partition: number,
  producer: Readonly<Record<string, string>>,
  to: SendTo,
): Promise<Receipt> {
  const query = new URLSearchParams({ partition: String(partition) })
  if (key !== undefined) query.set('key', key)
  const request = { method: 'POST', headers: { ...headers, ...producer }, body: value }
  return tryAgain(to.retrySeconds, () =>
    callJson<Receipt>(to.url, `${to.topicPath}/records?${query.toString()}`, request),
  )
}
