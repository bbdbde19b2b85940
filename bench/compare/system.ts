/** What is measured: requests of so many records of so many bytes each, so many of them under way, for so long. */
export interface Work {
  readonly inFlight: number
  readonly records: number
  readonly bytes: number
  readonly seconds: number
}

/** What a load generator saw. Latencies are of whole requests. */
export interface LoadResult {
  readonly ok: number
  readonly failed: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Three nodes on this machine that store what they are sent on the disks of a majority before they answer. */
export interface System {
  readonly name: string
  readonly pids: readonly number[]
  load(work: Work): Promise<LoadResult>
  /** The same on one socket of many requests. Undefined where there is none, or `load` goes over one. */
  readonly session?: (work: Work) => Promise<LoadResult>
  /** One record after the other; latencies run to its arrival at a subscriber. Undefined where that is not measured. */
  readonly deliver?: (work: Work) => Promise<LoadResult>
  /** So many subscribers, who read from now on. Undefined where that is not measured. */
  readonly follow?: (reading: Reading) => Promise<Followers>
  stop(): Promise<void>
}

export interface Reading {
  readonly subscribers: number
  /** Frames of many records and no text, where there are two forms. */
  readonly isBinary: boolean
  /** Of each record. */
  readonly bytes: number
}

/** Subscribers in a process of their own. */
export interface Followers {
  /** What all of them have got so far. */
  delivered(): Promise<number>
  stop(): Promise<void>
}
