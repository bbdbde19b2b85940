/**
 * What happened in a run: a running hash of it always, the lines themselves only when somebody wants to read them.
 * Two runs of one seed have equal hashes, or something in them is not a function of the seed.
 */
export class Trace {
  readonly lines: string[] = []
  private low = 0x811c9dc5
  private high = 0x1234567
  eventCount = 0
  readonly isKept: boolean

  constructor(isKept: boolean) {
    this.isKept = isKept
  }

  /** Counts an event by numbers. `line` is called only when lines are kept. */
  note(kind: number, broker: number, detail: number, nowMs: number, line: () => string): void {
    this.eventCount++
    this.mix(kind * 0x10000 + broker)
    this.mix(detail)
    this.mix(Math.floor(nowMs * 1024))
    if (this.isKept) this.lines.push(`${nowMs.toFixed(1).padStart(9)}  ${line()}`)
  }

  get hash(): string {
    return (this.low >>> 0).toString(16).padStart(8, '0') + (this.high >>> 0).toString(16).padStart(8, '0')
  }

  private mix(value: number): void {
    this.low = Math.imul(this.low ^ (value & 0xffff), 0x01000193) ^ ((value >>> 16) * 0x9e3779b1)
    this.low ^= this.low >>> 13
    this.high = Math.imul(this.high ^ this.low, 0x85ebca6b)
    this.high ^= this.high >>> 16
  }
}

/** What a trace line is about. The numbers go into the hash. */
export const TRACED = {
  DELIVER: 1,
  SEND: 2,
  DURABLE: 3,
  CRASH: 4,
  START: 5,
  APPLY: 6,
  ROLE: 7,
  FAULT: 8,
  CLIENT: 9,
  TICK: 10,
} as const
