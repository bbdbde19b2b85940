import { call } from './api.ts'

export interface StoredValue {
  readonly partition: number
  readonly offset: number
  readonly value: string
}

/** Every record of a topic, by pages, from one broker. */
export async function readAll(
  url: string,
  topic: string,
  partitionCount: number,
): Promise<readonly StoredValue[]> {
  const all: StoredValue[] = []
  for (let partition = 0; partition < partitionCount; partition++) {
    for (let from = 0; ;) {
      const { status, body } = await call(
        url,
        `/v1/topics/${topic}/partitions/${partition}/records?from=${from}&limit=1000`,
      )
      if (status !== 200) throw new Error(`Page answered ${status}: ${JSON.stringify(body)}`)
      const page = body as unknown as {
        records: { offset: number; text: string }[]
        nextOffset: number
        highWatermark: number
      }
      for (const record of page.records) all.push({ partition, offset: record.offset, value: record.text })
      from = page.nextOffset
      if (from >= page.highWatermark) break
    }
  }
  return all
}
