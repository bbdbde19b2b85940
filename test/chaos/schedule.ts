import type { Random } from '../sim/random.ts'

/** Every kind of fault, and how often it is drawn. */
const FAULT_WEIGHTS = {
  'kill-one': 3,
  'kill-majority': 1,
  'kill-all': 1,
  'pause-one': 3,
  'pause-majority': 1,
  isolate: 3,
  'cut-pair': 2,
  'cut-one-way': 2,
  'slow-link': 2,
  delay: 2,
  restart: 2,
  'power-cut-one': 2,
  'power-cut-all': 2,
  'disk-error': 2,
  'disk-slow': 2,
  'disk-hang': 2,
  'disk-full': 1,
  'flip-bits': 3,
  'truncate-file': 2,
  'wipe-disk': 2,
  'move-leaders': 2,
  'move-replicas': 2,
} as const

export type FaultKind = keyof typeof FAULT_WEIGHTS

export const FAULT_KINDS = Object.keys(FAULT_WEIGHTS) as readonly FaultKind[]

/** Faults that need a disk that can be spoiled. */
export const DISK_KINDS: readonly FaultKind[] = [
  'power-cut-one',
  'power-cut-all',
  'disk-error',
  'disk-slow',
  'disk-hang',
  'disk-full',
]

/** Faults that take from one disk what had been written: there have to be others that hold it. */
export const DAMAGE_KINDS: readonly FaultKind[] = ['flip-bits', 'truncate-file', 'wipe-disk']

/** Replicas of a partition in this load: a move of them needs more brokers. */
export const REPLICAS = 3

/** Faults of the network: they can be laid over a fault of processes. */
const LINK_KINDS: readonly FaultKind[] = ['isolate', 'cut-pair', 'cut-one-way', 'slow-link', 'delay']

export interface Fault {
  readonly kind: FaultKind
  /** The brokers that it hits; for a link, from the first to the second. */
  readonly brokers: readonly number[]
  /** `delay`: one way, ms; `slow-link`: bytes per second; `disk-slow`: ms a sync; power cuts and damage: seed of what is lost; moves: seed of what is moved. */
  readonly amount: number
}

/** One or two faults at once, then a time without any. */
export interface Episode {
  readonly faults: readonly Fault[]
  readonly durationMs: number
  readonly quietMs: number
}

export interface ScheduleOptions {
  readonly random: Random
  readonly ids: readonly number[]
  readonly durationMs: { readonly min: number; readonly max: number }
  readonly quietMs: { readonly min: number; readonly max: number }
  /** All if left out; otherwise these only, one at a time. */
  readonly kinds?: readonly FaultKind[] | undefined
  /** Kinds that cannot happen here. */
  readonly without?: readonly FaultKind[] | undefined
}

const SECOND_FAULT_CHANCE = 0.25

/** What happens to the cluster: endless, and the same for the same seed. Each kind comes once before any comes again. */
export function* schedule(options: ScheduleOptions): Generator<Episode, never, void> {
  const { random, durationMs, quietMs, kinds, without = [] } = options
  const possible = (kinds ?? FAULT_KINDS).filter((kind) => !without.includes(kind))
  let deck: FaultKind[] = []
  for (;;) {
    if (deck.length === 0) deck = shuffledKinds(random, possible)
    const first = draw(deck.pop()!, options)
    const faults = [first]
    if (kinds === undefined && random.chance(SECOND_FAULT_CHANCE))
      faults.push(draw(random.pick(LINK_KINDS), options))
    yield {
      faults,
      durationMs: random.between(durationMs.min, durationMs.max),
      quietMs: random.between(quietMs.min, quietMs.max),
    }
  }
}

/** All kinds by their weights, in an order of chance, but one of each before the rest. */
function shuffledKinds(random: Random, kinds: readonly FaultKind[]): FaultKind[] {
  const rest = kinds.flatMap((kind) => Array.from({ length: FAULT_WEIGHTS[kind] - 1 }, () => kind))
  return [...shuffled(rest, random), ...shuffled(kinds, random)]
}

function draw(kind: FaultKind, { random, ids }: ScheduleOptions): Fault {
  const all = shuffled(ids, random)
  const majority = all.slice(0, Math.floor(ids.length / 2) + 1)
  const one = all.slice(0, 1)
  const pair = all.slice(0, 2)
  switch (kind) {
    case 'kill-all':
      return { kind, brokers: all, amount: 0 }
    case 'power-cut-all':
      return { kind, brokers: all, amount: random.integer(2 ** 31) }
    case 'power-cut-one':
    case 'flip-bits':
    case 'truncate-file':
    case 'wipe-disk':
    case 'move-leaders':
      return { kind, brokers: one, amount: random.integer(2 ** 31) }
    case 'move-replicas':
      return { kind, brokers: all.slice(0, REPLICAS), amount: random.integer(2 ** 31) }
    case 'disk-slow':
      return { kind, brokers: one, amount: Math.round(random.between(10, 200)) }
    case 'kill-majority':
    case 'pause-majority':
      return { kind, brokers: majority, amount: 0 }
    case 'cut-pair':
    case 'cut-one-way':
      return { kind, brokers: pair, amount: 0 }
    case 'slow-link':
      return { kind, brokers: pair, amount: Math.round(2_000 * 2 ** random.between(0, 5)) }
    case 'delay':
      return { kind, brokers: one, amount: Math.round(random.between(50, 300)) }
    case 'kill-one':
    case 'pause-one':
    case 'isolate':
    case 'restart':
    case 'disk-error':
    case 'disk-hang':
    case 'disk-full':
      return { kind, brokers: one, amount: 0 }
  }
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items]
  const result: T[] = []
  while (left.length > 0) result.push(...left.splice(random.integer(left.length), 1))
  return result
}

export function showFault({ kind, brokers, amount }: Fault): string {
  return `${kind} ${brokers.join(',')}${amountOf(kind, amount)}`
}

function amountOf(kind: FaultKind, amount: number): string {
  switch (kind) {
    case 'delay':
    case 'disk-slow':
      return ` by ${amount} ms`
    case 'slow-link':
      return ` to ${amount} B/s`
    default:
      return ''
  }
}
