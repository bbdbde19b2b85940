import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { BrokerId } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import type { LaneName } from './limits.ts'

/** Counts up when frames or proofs change their meaning; both sides must speak the same one. */
export const PROTOCOL_VERSION = 1

export const LANE_PATH = '/internal/v1/paxos/stream'

/** Names of the headers of both legs; HTTP compares them without case. */
export const HEADER = {
  VERSION: 'synod-version',
  FROM: 'synod-from',
  TO: 'synod-to',
  CLUSTER: 'synod-cluster',
  BOOT: 'synod-boot',
  NONCE: 'synod-nonce',
  CHALLENGE: 'synod-challenge',
  PROOF: 'synod-proof',
} as const

export const MAC_BYTES = 32

/** What the side that opens a lane says of itself. */
export interface Opening {
  readonly lane: LaneName
  readonly clusterId: string
  readonly from: BrokerId
  readonly to: BrokerId
  readonly bootId: string
  readonly nonce: string
}

/** What the side that accepts adds. With it both know the session. */
export interface Acceptance {
  readonly bootId: string
  readonly nonce: string
}

export interface SessionKeys {
  /** For what the opener sends, and for what the accepter sends. */
  readonly forward: Buffer
  readonly backward: Buffer
}

/**
 * A lane begins with two proofs of the cluster's key in headers (reliability, section 4): the opener's over what it
 * says, the accepter's over both nonces. The opener's freshness is proven by its first flush, which is empty: its code
 * is made with a session key that depends on the accepter's nonce, and nothing is accepted before it.
 */
export function openingProof(key: Buffer, opening: Opening): string {
  return prove(key, 'open', [...openingFacts(opening)])
}

export function acceptanceProof(key: Buffer, opening: Opening, acceptance: Acceptance): string {
  return prove(key, 'accept', [...openingFacts(opening), acceptance.bootId, acceptance.nonce])
}

export function sessionKeys(key: Buffer, opening: Opening, acceptance: Acceptance): SessionKeys {
  const facts = [...openingFacts(opening), acceptance.bootId, acceptance.nonce]
  return {
    forward: Buffer.from(prove(key, 'forward', facts), 'hex'),
    backward: Buffer.from(prove(key, 'backward', facts), 'hex'),
  }
}

/** HMAC-SHA256 over a purpose and facts, hex. JSON keeps the facts apart, so that no two lists give the same bytes. */
export function prove(key: Buffer, purpose: string, facts: readonly (string | number)[]): string {
  return createHmac('sha256', key)
    .update(JSON.stringify([`synod/${PROTOCOL_VERSION}/${purpose}`, ...facts]))
    .digest('hex')
}

/** Compares in constant time; false for anything that is no proof. */
export function sameProof(given: string | undefined, expected: string): boolean {
  invariant(/^[0-9a-f]{64}$/.test(expected), 'A proof is 64 hex digits.')
  if (given === undefined || !/^[0-9a-f]{64}$/.test(given)) return false
  return timingSafeEqual(Buffer.from(given, 'hex'), Buffer.from(expected, 'hex'))
}

export function freshNonce(): string {
  return randomBytes(16).toString('hex')
}

export function isNonce(value: string | undefined): value is string {
  return value !== undefined && /^[0-9a-f]{32}$/.test(value)
}

/**
 * The key of a cluster. Brokers that are bound to loopback may go without a secret: then everybody on the machine knows
 * the key, and the codes only find damaged bytes and foreign clusters.
 */
export function clusterKey(secret: Buffer | undefined): Buffer {
  return secret ?? Buffer.from('synod: no secret, loopback only  ', 'latin1')
}

function openingFacts(opening: Opening): (string | number)[] {
  return [opening.lane, opening.clusterId, opening.from, opening.to, opening.bootId, opening.nonce]
}
