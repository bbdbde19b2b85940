import type { GatewayOptions } from '../options.ts'
import type { Ports } from '../ports.ts'
import type { ByteBudget } from './byte-budget.ts'

/** What every handler has at hand. One for the life of a gateway. */
export interface GatewayContext {
  readonly ports: Ports
  readonly options: GatewayOptions
  /** Aborts when the gateway closes, so that answers without an end come to one. */
  readonly closing: AbortSignal
  /** What pages and records that are being answered hold in memory. */
  readonly answers: ByteBudget
  /** What the lines of ingests hold in memory. */
  readonly ingests: ByteBudget
}

/**
 * One request on its way. The headers that every answer has (Request-Id, Synod-Broker, CORS, nosniff) are set on the
 * response before a handler sees it; the produce calls give all but CORS themselves.
 */
export interface RequestContext extends GatewayContext {
  readonly requestId: string
  /** The path of the request, without the query: the `instance` of its problems. */
  readonly path: string
  /** What stands behind the question mark, undecoded; empty when there is none. */
  readonly search: string
  /** What the path's placeholders hold, decoded, in the order of the path. */
  readonly params: readonly string[]
  /** The Host header, for hints that can be copied. */
  readonly host: string
}
