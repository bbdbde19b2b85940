import { invariant } from '../../types/invariant.ts'

/** What a subscriber allows to be sent, or adds to it: records, and the bytes of their keys and values. */
export interface CreditGrant {
  readonly records: number
  readonly bytes: number
}

/** What is left of it. Bytes are below 0 after a record that was larger than what was left: grants pay for it first. */
export interface Credit {
  readonly records: number
  readonly bytes: number
}

/** More than this is as good as without end, and sums stay exact. */
export const CREDIT_MAX = Number.MAX_SAFE_INTEGER

export const NO_CREDIT: Credit = { records: 0, bytes: 0 }

/** Grants add up to CREDIT_MAX; what is beyond it is not remembered. */
export function granted(credit: Credit, grant: CreditGrant): Credit {
  invariant(isCount(grant.records) && isCount(grant.bytes), 'A grant is made of whole numbers from 0.')
  return {
    records: Math.min(credit.records + grant.records, CREDIT_MAX),
    bytes: Math.min(credit.bytes + grant.bytes, CREDIT_MAX),
  }
}

/**
 * How many of the next records may be sent now. A first record that is larger than the bytes left goes when nothing else
 * is under way (`isIdle`: all that was sent has left the socket): a subscriber whose credit is smaller than one record
 * would otherwise wait for ever, although it has credit.
 */
export function recordsAllowed(credit: Credit, sizesBytes: readonly number[], isIdle: boolean): number {
  if (credit.records <= 0 || credit.bytes <= 0) return 0
  let count = 0
  let sumBytes = 0
  for (const sizeBytes of sizesBytes) {
    // What costs nothing needs credit too, so that how many go does not hang on how they are cut into frames.
    if (count === credit.records || sumBytes === credit.bytes) break
    sumBytes += sizeBytes
    if (sumBytes > credit.bytes) break
    count++
  }
  return count === 0 && isIdle && sizesBytes.length > 0 ? 1 : count
}

/** After these records were sent. Only as many as `recordsAllowed` said may be. */
export function spent(credit: Credit, sizesBytes: readonly number[]): Credit {
  if (sizesBytes.length === 0) return credit
  const sumBytes = sizesBytes.reduce((sum, sizeBytes) => sum + sizeBytes, 0)
  invariant(sizesBytes.length <= credit.records, 'No more records are sent than were granted.')
  invariant(
    sumBytes <= credit.bytes || (sizesBytes.length === 1 && credit.bytes > 0),
    'Only one record alone is larger than the bytes granted.',
  )
  return { records: credit.records - sizesBytes.length, bytes: credit.bytes - sumBytes }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
