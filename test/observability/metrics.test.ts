import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createMetrics } from '../../src/observability/metrics.ts'
import { InvariantError } from '../../src/types/invariant.ts'

describe('createMetrics', () => {
  test('renders counters, gauges and histograms in the text format of Prometheus', async () => {
    const metrics = createMetrics({ withProcess: false })
    metrics
      .counter({ name: 'synod_frames_total', help: 'Frames.', labels: ['lane'] })
      .increment({ lane: 'data' }, 3)
    metrics.gauge({ name: 'synod_partitions', help: 'Partitions.' }).set(7)
    metrics.histogram({ name: 'synod_sync_seconds', help: 'Syncs.' }, [0.1, 1]).observe(0.5)
    const text = await metrics.render()
    assert.match(text, /^synod_frames_total\{lane="data"\} 3$/m)
    assert.match(text, /^synod_partitions 7$/m)
    assert.match(text, /^synod_sync_seconds_bucket\{le="0.1"\} 0$/m)
    assert.match(text, /^synod_sync_seconds_bucket\{le="1"\} 1$/m)
    assert.match(metrics.contentType, /^text\/plain/)
  })

  test('reads a gauge at each rendering', async () => {
    const metrics = createMetrics({ withProcess: false })
    let waiting = 1
    metrics.gauge({ name: 'synod_waiting', help: 'Waiting.' }, () => waiting)
    assert.match(await metrics.render(), /^synod_waiting 1$/m)
    waiting = 2
    assert.match(await metrics.render(), /^synod_waiting 2$/m)
  })

  test('gives the same metric for the same name, and refuses another type or a foreign name', async () => {
    const metrics = createMetrics({ withProcess: false })
    const spec = { name: 'synod_a_total', help: 'A.' }
    metrics.counter(spec).increment()
    metrics.counter(spec).increment()
    assert.match(await metrics.render(), /^synod_a_total 2$/m)
    assert.throws(() => metrics.gauge(spec), InvariantError)
    assert.throws(() => metrics.counter({ name: 'other_total', help: 'x' }), InvariantError)
  })

  test('drops and counts label combinations beyond seriesMax', async () => {
    const metrics = createMetrics({ withProcess: false, seriesMax: 2 })
    const counter = metrics.counter({ name: 'synod_b_total', help: 'B.', labels: ['code'] })
    for (const code of ['1', '2', '3', '3', '1']) counter.increment({ code })
    const text = await metrics.render()
    assert.match(text, /^synod_b_total\{code="1"\} 2$/m)
    assert.doesNotMatch(text, /code="3"/)
    assert.match(text, /^synod_metric_series_dropped_total 2$/m)
  })

  test('tells of this process: memory, CPU and the delay of the event loop', async () => {
    const text = await createMetrics({ withProcess: true }).render()
    assert.match(text, /^synod_nodejs_eventloop_lag_p99_seconds /m)
    assert.match(text, /^synod_process_resident_memory_bytes /m)
    assert.match(text, /^synod_process_cpu_seconds_total /m)
  })
})
