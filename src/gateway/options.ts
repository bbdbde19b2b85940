import { NO_STAGES, type Stages } from '../observability/stages.ts'
/** What the gateway writes to the log with. The broker's logger fits. */
export interface GatewayLog {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}

export interface GatewayOptions {
  /** A produce to an unknown topic creates it with the defaults. */
  readonly autoCreateTopics: boolean
  /** Origins of browsers that may call, as `https://host[:port]`; the word `loopback` stands for every local one. */
  readonly allowedOrigins: readonly string[]
  /** The log answers 'outcome-unknown' after this; the gateway does so itself a second later. */
  readonly produceTimeoutMs: number
  /** Key, value and headers of one record. A topic's own setting may be lower. */
  readonly recordBytesMax: number
  /** The body of one produce request. */
  readonly requestBytesMax: number
  /** The body of a request that administers topics. */
  readonly adminBytesMax: number
  /** Bodies of all requests that are under way; beyond it 'overloaded'. */
  readonly inFlightBytesMax: number
  /** Whole bodies of produces, and frames of sessions, that are being stored; beyond it 'overloaded'. */
  readonly storingBytesMax: number
  /** Lines of one ingest that have no receipt yet; beyond it no more of its body is read. */
  readonly ingestWindowBytesMax: number
  /** Lines of all ingests, unfinished ones included; beyond it no more of any body is read. */
  readonly ingestBytesMax: number
  /** Pages and records that were read and have not left yet, of all requests; beyond it 'overloaded'. */
  readonly answerBytesMax: number
  readonly connectionsMax: number
  readonly headersTimeoutMs: number
  /** A body that has not ended after this ends the request. */
  readonly bodyTimeoutMs: number
  /** A body that brings less than `bodyBytesPerSecondMin` after the first `bodyGraceMs` ends the request. */
  readonly bodyGraceMs: number
  readonly bodyBytesPerSecondMin: number
  /** How often slow bodies and headers are looked for. */
  readonly sweepMs: number
  /** An answer with bytes waiting of which none leaves for so long is given up. */
  readonly answerStallMs: number
  readonly keepAliveMs: number
  /** How long, and for how many bytes, a body that is already refused is still read, so that the client sees the answer. */
  readonly lingerMs: number
  readonly lingerBytesMax: number
  /** One frame of a client in a WebSocket session: has room for what the body of a batch may hold. */
  readonly sessionFrameBytesMax: number
  /** Frames of all sessions that have begun and not ended, beyond the first 64 KiB of each. */
  readonly sessionUnfinishedBytesMax: number
  /** Open WebSocket subscriptions and sessions. */
  readonly subscribersMax: number
  readonly version: string
  /** The text for `/metrics`. */
  readonly metrics: () => Promise<string>
  readonly stages: Pick<Stages, 'append' | 'fanOut'>
  readonly log: GatewayLog
}

const MIB = 1024 * 1024

export const DEFAULT_GATEWAY_OPTIONS: Omit<GatewayOptions, 'version' | 'metrics' | 'log'> = {
  autoCreateTopics: false,
  allowedOrigins: [],
  produceTimeoutMs: 5_000,
  recordBytesMax: MIB,
  requestBytesMax: 4 * MIB,
  adminBytesMax: 64 * 1024,
  inFlightBytesMax: 64 * MIB,
  storingBytesMax: 16 * MIB,
  ingestWindowBytesMax: MIB,
  ingestBytesMax: 64 * MIB,
  answerBytesMax: 64 * MIB,
  connectionsMax: 20_000,
  headersTimeoutMs: 5_000,
  bodyTimeoutMs: 30_000,
  bodyGraceMs: 5_000,
  bodyBytesPerSecondMin: 1_024,
  sweepMs: 1_000,
  answerStallMs: 40_000,
  keepAliveMs: 65_000,
  lingerMs: 2_000,
  lingerBytesMax: 16 * MIB,
  sessionFrameBytesMax: 5 * MIB,
  sessionUnfinishedBytesMax: 64 * MIB,
  subscribersMax: 20_000,
  stages: NO_STAGES,
}
