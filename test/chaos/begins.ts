import { call } from '../system/api.ts'

const ASK_MS_MAX = 3_000

/** The first offset of each of these partitions, as one broker says. Throws where it does not answer for one of them. */
export async function beginsAt(
  url: string,
  topic: string,
  partitions: Iterable<number>,
): Promise<ReadonlyMap<number, number>> {
  const asked = [...partitions].map(async (partition) => {
    const path = `/v1/topics/${topic}/partitions/${partition}/offsets`
    const { status, body } = await call(url, path, { signal: AbortSignal.timeout(ASK_MS_MAX) })
    if (status !== 200) throw new Error(`${url}${path} answered ${status}: ${JSON.stringify(body)}`)
    return [partition, Number(body['earliest'])] as const
  })
  return new Map(await Promise.all(asked))
}
