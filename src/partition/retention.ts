import type { Checkpoint } from '../paxos/state.ts'
import type { TopicConfig } from '../types/topic.ts'

/** Marks are made at so many places of what is kept: as many as there are checkpoints (consensus 1.14). */
const SEGMENTS = 3
const SEGMENT_BYTES_MIN = 1024 * 1024
/** A checkpoint holds the whole table of the machine: it is written once for so much more log at most. */
const LOG_PER_TABLE_BYTES = 4
/** A log without new records is trimmed too, when retries and other entries that store nothing weigh so much. */
const IDLE_BYTES_MIN = SEGMENT_BYTES_MIN

/** What a partition holds, as its leader sees it. */
export interface Holdings {
  readonly logStart: Checkpoint
  readonly checkpoints: readonly Checkpoint[]
  /** The end of what is applied. */
  readonly end: { readonly offset: number; readonly logBytes: number }
  /** Records below it were trimmed by an operator. */
  readonly shownFrom: number
  /** About what the machine's rows weigh. */
  readonly tableBytes: number
}

/** What is to be done now: a TRIM entry with this `upTo` (0: only mark), or nothing before `againAtMs`. */
export type RetentionStep =
  | { readonly kind: 'trim'; readonly upTo: number }
  /** Epoch milliseconds; Infinity: not before something is appended. */
  | { readonly kind: 'rest'; readonly againAtMs: number }

type Rules = Pick<TopicConfig, 'retentionMs' | 'retentionBytes' | 'cleanup' | 'onFull'>

/**
 * Decides about the next mark of a partition, at its leader only (consensus 1.14). The log may begin at a mark only, so what is
 * kept is at least what the topic's settings say, and up to a third more. `reached`: the highest slot that every voter in sync
 * has, asked only when something could be trimmed.
 */
export function nextStep(
  rules: Rules,
  holdings: Holdings,
  nowMs: number,
  reached: () => number,
): RetentionStep {
  const bounds = boundsOf(rules)
  const base = newestToDrop(bounds, holdings, nowMs)
  if (base !== undefined && base.slot - 1 <= reached()) return { kind: 'trim', upTo: base.slot - 1 }
  if (isMarkDue(bounds, holdings, nowMs)) return { kind: 'trim', upTo: 0 }
  return { kind: 'rest', againAtMs: base === undefined ? nextTimeMs(bounds, holdings) : nowMs + BLOCKED_MS }
}

/** A follower in sync that lacks a slot of what is to go has it soon, or is not in sync any more. */
const BLOCKED_MS = 1_000

/** Whether the partition holds as much as it may and takes no more. */
export function isFull(rules: Rules, { logStart, end }: Pick<Holdings, 'logStart' | 'end'>): boolean {
  const { retentionBytes, onFull } = rules
  return onFull === 'reject' && retentionBytes !== null && end.logBytes - logStart.logBytes >= retentionBytes
}

/** Age and size as they count here; null: neither trims nor marks. */
interface Bounds {
  readonly ms: number | null
  readonly bytes: number | null
}

function boundsOf({ retentionMs, retentionBytes, cleanup, onFull }: Rules): Bounds {
  if (cleanup === 'none') return { ms: null, bytes: null }
  return { ms: retentionMs, bytes: onFull === 'trim' ? retentionBytes : null }
}

/** The newest checkpoint whose whole past may go, if anything goes with it. */
function newestToDrop({ ms, bytes }: Bounds, holdings: Holdings, nowMs: number): Checkpoint | undefined {
  const { logStart, checkpoints, end, shownFrom } = holdings
  return checkpoints.findLast((checkpoint) => {
    const isWorth =
      checkpoint.offset > logStart.offset || checkpoint.logBytes - logStart.logBytes >= IDLE_BYTES_MIN
    const isTooOld = ms !== null && nowMs - checkpoint.lastAppendedAtMs >= ms
    const isTooMuch = bytes !== null && end.logBytes - checkpoint.logBytes >= bytes
    return isWorth && (isTooOld || isTooMuch || checkpoint.offset <= shownFrom)
  })
}

function isMarkDue({ ms, bytes }: Bounds, holdings: Holdings, nowMs: number): boolean {
  const { end, tableBytes } = holdings
  const newest = newestOf(holdings)
  const sinceBytes = end.logBytes - newest.logBytes
  const isLong =
    bytes !== null &&
    sinceBytes >= Math.max(SEGMENT_BYTES_MIN, bytes / SEGMENTS, tableBytes * LOG_PER_TABLE_BYTES)
  const isOld = ms !== null && end.offset > newest.offset && nowMs - newest.lastAppendedAtMs >= ms / SEGMENTS
  return isLong || isOld
}

function newestOf({ logStart, checkpoints }: Holdings): Checkpoint {
  return checkpoints.at(-1) ?? logStart
}

/** Time alone makes the next mark due, or the next checkpoint old enough. */
function nextTimeMs({ ms }: Bounds, holdings: Holdings): number {
  if (ms === null) return Infinity
  const newest = newestOf(holdings)
  const markAtMs =
    holdings.end.offset > newest.offset ? newest.lastAppendedAtMs + Math.ceil(ms / SEGMENTS) : Infinity
  const oldest = holdings.checkpoints.find(({ offset }) => offset > holdings.logStart.offset)
  return Math.min(markAtMs, oldest === undefined ? Infinity : oldest.lastAppendedAtMs + ms)
}
