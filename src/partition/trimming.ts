import { SynodError } from '../errors.ts'
import { ENTRY_KIND } from '../paxos/state.ts'
import { encodeTrim } from '../paxos/trim-body.ts'
import type { TopicConfig } from '../types/topic.ts'
import type { LoopClock } from './loop.ts'
import type { AppliedBatch, RecordMachine } from './record-machine.ts'
import type { Replica } from './replica.ts'
import { isFull, nextStep, type Holdings } from './retention.ts'

const PROPOSE_TIMEOUT_MS = 5_000
/** After a mark that was refused. */
const RETRY_MS = 1_000
/** About what the rows of the machine weigh, for the spacing of marks only. */
const PRODUCER_BYTES = 200
const KEY_BYTES = 120

/**
 * Trims one partition, where it is led: looks at the end of each turn whether a mark is due, and proposes one at a time. A
 * group without retention has no deadline of it, and an idle one only while something in it grows old.
 */
export class Trimming {
  readonly #replica: Replica<AppliedBatch>
  readonly #machine: RecordMachine
  readonly #clock: LoopClock
  readonly #wallMs: () => number
  #config: TopicConfig
  #isUnderWay = false
  /** Monotonic; the next look that time alone asks for. */
  #dueMs = Infinity

  constructor(options: {
    readonly replica: Replica<AppliedBatch>
    readonly machine: RecordMachine
    readonly config: TopicConfig
    readonly clock: LoopClock
    readonly wallMs: () => number
  }) {
    this.#replica = options.replica
    this.#machine = options.machine
    this.#config = options.config
    this.#clock = options.clock
    this.#wallMs = options.wallMs
  }

  configure(config: TopicConfig): void {
    this.#config = config
  }

  get dueMs(): number | undefined {
    return this.#dueMs === Infinity ? undefined : this.#dueMs
  }

  /** Error: 'topic-full', of a partition that takes no more. */
  checkRoom(): void {
    if (this.#config.onFull === 'trim' || !isFull(this.#config, this.#holdings())) return
    throw new SynodError('topic-full', `The partition holds ${this.#config.retentionBytes} bytes or more.`, {
      hint: 'Raise retentionBytes, set onFull to "trim", or trim what is not needed.',
    })
  }

  /** Marks at the end of the log, and from now on shows no records below `beforeOffset`. Errors: as `Replica.propose`. */
  async hide(beforeOffset: number, timeoutMs: number): Promise<void> {
    await this.#propose({ upTo: 0, beforeOffset }, timeoutMs)
  }

  turnEnded(): void {
    this.#dueMs = Infinity
    const { retentionMs, retentionBytes } = this.#config
    const { shownFrom } = this.#machine
    const { logStart } = this.#replica.paxos
    const hasBound = retentionMs !== null || retentionBytes !== null || shownFrom > logStart.offset
    if (!hasBound || !this.#replica.isLeader || this.#isUnderWay) return
    const wallMs = this.#wallMs()
    const step = nextStep(this.#config, this.#holdings(), wallMs, () => this.#reached())
    if (step.kind === 'rest') this.#dueMs = this.#clock.nowMs() + Math.max(1, step.againAtMs - wallMs)
    else void this.#mark(step.upTo)
  }

  #holdings(): Holdings {
    const { paxos, logBytes } = this.#replica
    const { nextOffset, shownFrom, producerCount, keyCount } = this.#machine
    return {
      logStart: paxos.logStart,
      checkpoints: paxos.checkpoints,
      end: { offset: nextOffset, logBytes },
      shownFrom,
      tableBytes: producerCount * PRODUCER_BYTES + keyCount * KEY_BYTES,
    }
  }

  /** The highest slot that every voter in sync has on disk: they shall never need what is trimmed (consensus 1.14). */
  #reached(): number {
    const voters = this.#replica.paxos.progress(this.#clock.moment())
    return Math.min(...voters.filter(({ inSync }) => inSync).map(({ acceptedSlot }) => acceptedSlot))
  }

  /** What it came to shows in the log. One that failed is tried again: a turn ends when the time has come. */
  async #mark(upTo: number): Promise<void> {
    this.#isUnderWay = true
    try {
      await this.#propose({ upTo, beforeOffset: 0 }, PROPOSE_TIMEOUT_MS)
    } catch (error) {
      if (!(error instanceof SynodError)) throw error
      await new Promise<void>((resolve) => void this.#clock.later(resolve, RETRY_MS))
    } finally {
      this.#isUnderWay = false
    }
    this.#replica.wake()
  }

  async #propose(trim: { upTo: number; beforeOffset: number }, timeoutMs: number): Promise<void> {
    await this.#replica.propose({ kind: ENTRY_KIND.TRIM, recordCount: 0, body: encodeTrim(trim), timeoutMs })
  }
}
