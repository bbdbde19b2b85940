import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client'
import { invariant } from '../types/invariant.ts'

/** Values of a metric's labels. Only names with few values: brokers, lanes, outcomes; never keys, clients or records. */
export type Labels = Readonly<Record<string, string>>

export interface Counter {
  /** `by` is not negative; 1 when left out. */
  increment(labels?: Labels, by?: number): void
}

export interface Gauge {
  set(value: number, labels?: Labels): void
}

export interface Histogram {
  observe(value: number, labels?: Labels): void
}

/** What a metric is. Names begin with `synod_` and end with their unit (`_seconds`, `_bytes`, `_total`). */
export interface MetricSpec {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

/** Numbers of this process for Prometheus. Asking for a name again gives the same metric. */
export interface Metrics {
  counter(spec: MetricSpec): Counter
  /** `read` is called at each `render`, for values that are cheaper to ask than to keep. */
  gauge(spec: MetricSpec, read?: () => number): Gauge
  /** `buckets` are upper bounds, rising; by default seconds from 0.5 ms to 10 s. */
  histogram(spec: MetricSpec, buckets?: readonly number[]): Histogram
  /** The Prometheus text format. */
  render(): Promise<string>
  readonly contentType: string
}

export interface MetricsOptions {
  /** Memory, CPU, event loop delay, garbage collection of this process; left out in tests. */
  readonly withProcess: boolean
  /** Combinations of label values of one metric; further ones are dropped and counted. */
  readonly seriesMax?: number
}

const DEFAULT_SERIES_MAX = 1_000
const SECONDS_BUCKETS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
const NO_LABELS: Labels = {}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry()
  const table = new MetricTable(registry, options.seriesMax ?? DEFAULT_SERIES_MAX)
  if (options.withProcess) collectDefaultMetrics({ register: registry, prefix: 'synod_' })
  return {
    counter: (spec) => table.once('counter', spec, () => makeCounter(table, spec)),
    gauge: (spec, read) => table.once('gauge', spec, () => makeGauge(table, spec, read)),
    histogram: (spec, buckets = SECONDS_BUCKETS) =>
      table.once('histogram', spec, () => makeHistogram(table, spec, buckets)),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function makeCounter(table: MetricTable, spec: MetricSpec): Counter {
  const counter = new PromCounter(table.settings(spec))
  const hasRoom = table.seriesBound(spec)
  return {
    increment(labels = NO_LABELS, by = 1) {
      if (hasRoom(labels)) counter.inc(labels, by)
    },
  }
}

function makeGauge(table: MetricTable, spec: MetricSpec, read: (() => number) | undefined): Gauge {
  const collect = read === undefined ? {} : { collect: () => gauge.set(read()) }
  const gauge: PromGauge = new PromGauge({ ...table.settings(spec), ...collect })
  const hasRoom = table.seriesBound(spec)
  return {
    set(value, labels = NO_LABELS) {
      if (hasRoom(labels)) gauge.set(labels, value)
    },
  }
}

function makeHistogram(table: MetricTable, spec: MetricSpec, buckets: readonly number[]): Histogram {
  const histogram = new PromHistogram({ ...table.settings(spec), buckets: [...buckets] })
  const hasRoom = table.seriesBound(spec)
  return {
    observe(value, labels = NO_LABELS) {
      if (hasRoom(labels)) histogram.observe(labels, value)
    },
  }
}

/** The metrics made so far, and the bound on each one's series. */
class MetricTable {
  readonly #registry: Registry
  readonly #seriesMax: number
  readonly #made = new Map<string, { readonly type: string; readonly metric: object }>()
  readonly #dropped: PromCounter

  constructor(registry: Registry, seriesMax: number) {
    invariant(seriesMax >= 1, 'A metric has room for at least one series.')
    this.#registry = registry
    this.#seriesMax = seriesMax
    this.#dropped = new PromCounter({
      name: 'synod_metric_series_dropped_total',
      help: 'Values not counted because their metric has too many label combinations.',
      registers: [registry],
    })
  }

  /** Makes a metric at the first call for its name. */
  once<Metric extends object>(type: string, spec: MetricSpec, make: () => Metric): Metric {
    const { name } = spec
    invariant(
      /^synod_[a-z0-9_]+$/.test(name),
      `A metric's name begins with synod_, in lower case, not '${name}'.`,
    )
    const present = this.#made.get(name)
    invariant(
      present === undefined || present.type === type,
      `The metric ${name} is not a ${type} but another type.`,
    )
    if (present !== undefined) return present.metric as Metric
    const metric = make()
    this.#made.set(name, { type, metric })
    return metric
  }

  settings(spec: MetricSpec): { name: string; help: string; labelNames: string[]; registers: Registry[] } {
    return {
      name: spec.name,
      help: spec.help,
      labelNames: [...(spec.labels ?? [])],
      registers: [this.#registry],
    }
  }

  /** Says whether there is room for a combination, so that clients cannot make a metric grow without end. */
  seriesBound(spec: MetricSpec): (labels: Labels) => boolean {
    const names = spec.labels ?? []
    const seen = new Set<string>()
    return (labels) => {
      const series = names.map((name) => labels[name] ?? '').join('\u0000')
      if (seen.has(series)) return true
      if (seen.size >= this.#seriesMax) {
        this.#dropped.inc()
        return false
      }
      seen.add(series)
      return true
    }
  }
}
