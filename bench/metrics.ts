import type { DevBroker } from '../test/support/dev-cluster.ts'

/** One number of a broker's `/metrics`; NaN when it has none of that name. */
export async function metric({ url }: Pick<DevBroker, 'url'>, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(new RegExp(`^${name} (.+)$`, 'm').exec(text)?.[1] ?? NaN)
}

/** How many partitions these brokers lead, by their own count. */
export async function ledBy(brokers: readonly Pick<DevBroker, 'url'>[]): Promise<number> {
  const counts = await Promise.all(brokers.map((broker) => metric(broker, 'synod_leaders')))
  return counts.reduce((sum, count) => sum + count, 0)
}
