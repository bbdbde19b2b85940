import type { Work } from './system.ts'

export interface Workload {
  readonly name: string
  readonly question: string
  readonly work: Omit<Work, 'seconds'>
  /** Held against each other: Synod on topics of so many partitions. Undefined: Synod, its ceiling and its peers on one. */
  readonly partitions?: readonly number[]
  /** What subscribers get is measured, instead of answers: how long it takes, or how much so many of them are delivered. */
  readonly reading?: 'times' | { readonly subscribers: number; readonly isBinary: boolean }
  /** Synod is asked by frames of one session instead of by requests. */
  readonly isBySession?: boolean
}

const KIB = 1024

export const WORKLOADS: readonly Workload[] = [
  {
    name: 'W1',
    question: 'Records of 1 KiB, one a request, 64 requests in flight',
    work: { inFlight: 64, records: 1, bytes: KIB },
  },
  {
    name: 'W1-session',
    question: 'W1 over one WebSocket session in its binary form',
    work: { inFlight: 64, records: 1, bytes: KIB },
    isBySession: true,
  },
  {
    name: 'W2',
    question: 'W1 on a topic of 6 partitions instead of one',
    work: { inFlight: 64, records: 1, bytes: KIB },
    partitions: [1, 6],
  },
  {
    name: 'W3',
    question: 'Records of 1 KiB, 100 a request, 16 requests in flight',
    work: { inFlight: 16, records: 100, bytes: KIB },
  },
  {
    name: 'W3-session',
    question: 'W3 over one WebSocket session in its binary form',
    work: { inFlight: 16, records: 100, bytes: KIB },
    isBySession: true,
  },
  {
    name: 'W4',
    question: 'Records of 1 KiB, one a request, one request in flight',
    work: { inFlight: 1, records: 1, bytes: KIB },
  },
  {
    name: 'W5',
    question: 'Records of 1 KiB, one after the other, from produce to arrival at a subscriber',
    work: { inFlight: 1, records: 1, bytes: KIB },
    reading: 'times',
  },
  {
    name: 'W6',
    question: 'Deliveries of 1 KiB to 100 subscribers; 16 produces in flight, of which the times are',
    work: { inFlight: 16, records: 1, bytes: KIB },
    reading: { subscribers: 100, isBinary: false },
  },
  {
    name: 'W6-1000',
    question: 'W6 with 1,000 subscribers',
    work: { inFlight: 16, records: 1, bytes: KIB },
    reading: { subscribers: 1_000, isBinary: false },
  },
  {
    name: 'W6-binary',
    question: 'W6 with sessions in their binary form',
    work: { inFlight: 16, records: 1, bytes: KIB },
    reading: { subscribers: 100, isBinary: true },
  },
  {
    name: 'W6-1000-binary',
    question: 'W6 with 1,000 sessions in their binary form',
    work: { inFlight: 16, records: 1, bytes: KIB },
    reading: { subscribers: 1_000, isBinary: true },
  },
  {
    name: 'W8',
    question: 'W1 on topics of 100 and 1,000 partitions',
    work: { inFlight: 64, records: 1, bytes: KIB },
    partitions: [1, 100, 1_000],
  },
]
