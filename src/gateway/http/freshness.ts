import type { IncomingMessage } from 'node:http'

import { SynodError } from '../../errors.ts'
import type { Freshness } from '../ports.ts'
import { choice, type Query } from './query.ts'

const LEVELS = ['local', 'leader', 'linearizable'] as const
const PLACE = /^(\d{1,5})@(\d{1,16})$/

/** What a request wants to be sure of, in each partition. */
export type FreshnessOf = (partition: number) => Freshness | undefined

/**
 * Reads `consistency` and the header `Read-After: 0@17,1@3`, which names records that the answer must know of, as receipts
 * tell them: partition@offset. Places of partitions that are not read do not matter. Errors: 'invalid-parameter'.
 */
export function freshnessOf(request: IncomingMessage, query: Query): FreshnessOf {
  const consistency = (choice(query, 'consistency', LEVELS) ?? 'local') as Freshness['consistency']
  const header = request.headers['read-after']
  if (header === undefined) return () => (consistency === 'local' ? undefined : { consistency })
  const after = new Map<number, number>()
  for (const place of (Array.isArray(header) ? header.join(',') : header).split(',')) {
    const match = PLACE.exec(place.trim())
    const [partition, offset] = [Number(match?.[1]), Number(match?.[2])]
    if (!Number.isSafeInteger(partition) || !Number.isSafeInteger(offset))
      throw new SynodError('invalid-parameter', `Read-After has '${place.slice(0, 80)}'.`, {
        hint: 'Read-After is partition@offset of records, as receipts tell them: 0@17,1@3.',
      })
    after.set(partition, Math.max(offset, after.get(partition) ?? 0))
  }
  return (partition) => ({ consistency, afterOffset: after.get(partition) })
}
