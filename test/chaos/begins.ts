import { call } from '../system/api.ts'

const ASK_MS_MAX = 3_000
/** Asked at once; readers of hundreds of partitions would open thousands of connections when they all come upon a trim. */
const ASKED_MAX = 8

/** The first offset of each of these partitions, as one broker says. Throws where it does not answer for one of them. */
export async function beginsAt(
  url: string,
  topic: string,
  partitions: Iterable<number>,
): Promise<ReadonlyMap<number, number>> {
  const begins = new Map<number, number>()
  const left = [...partitions]
  const ask = async (): Promise<void> => {
    for (let partition = left.shift(); partition !== undefined; partition = left.shift())
      begins.set(partition, await beginAt(url, topic, partition))
  }
  await Promise.all(Array.from({ length: ASKED_MAX }, ask))
  return begins
}

async function beginAt(url: string, topic: string, partition: number): Promise<number> {
  const path = `/v1/topics/${topic}/partitions/${partition}/offsets`
  const { status, body } = await call(url, path, { signal: AbortSignal.timeout(ASK_MS_MAX) })
  if (status !== 200) throw new Error(`${url}${path} answered ${status}: ${JSON.stringify(body)}`)
  return Number(body['earliest'])
}
