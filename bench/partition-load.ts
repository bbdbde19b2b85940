import { call } from '../test/system/api.ts'
import type { LoadProducer } from '../test/system/producers.ts'
import { eventually } from '../test/support/eventually.ts'

const VALUE_BYTES = 1_000

/** Different values, so that each is known again. */
export async function fill(
  url: string,
  of: { readonly topic: string; readonly partitionCount: number; readonly kilobytes: number },
): Promise<void> {
  const { topic, partitionCount, kilobytes } = of
  for (let partition = 0; partition < partitionCount; partition++) {
    const values = Array.from({ length: kilobytes }, (_, i) => `${partition}.${i}`.padEnd(VALUE_BYTES, '.'))
    const body = values.map((text) => JSON.stringify({ text, partition })).join('\n')
    const headers = { 'content-type': 'application/x-ndjson' }
    await eventually(
      async () => {
        const path = `/v1/topics/${topic}/records`
        const answer = await call(url, path, {
          method: 'POST',
          body,
          headers: { ...headers, 'idempotency-key': `fill-${partition}` },
        })
        if (answer.status >= 300) throw new Error(JSON.stringify(answer.body))
      },
      { timeoutMs: 30_000 },
    )
  }
}

/** Runs one phase, and says how long it took and what the producers noticed. */
export async function phase(
  producers: readonly LoadProducer[],
  name: string,
  run: () => Promise<void>,
): Promise<void> {
  for (const producer of producers) producer.longestGapMs = 0
  const count = acknowledged(producers)
  const startMs = performance.now()
  await run()
  const seconds = (performance.now() - startMs) / 1_000
  const perSecond = Math.round((acknowledged(producers) - count) / seconds)
  const gapMs = Math.round(Math.max(...producers.map((producer) => producer.longestGapMs)))
  console.log(`${name}: ${seconds.toFixed(1)} s, ${perSecond} acknowledged/s, longest gap ${gapMs} ms`)
}

export function acknowledged(producers: readonly LoadProducer[]): number {
  return producers.reduce((sum, producer) => sum + producer.acknowledged.length, 0)
}
