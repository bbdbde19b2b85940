import type { Metrics } from '../observability/metrics.ts'
import type { HttpTransport } from '../transport/http-transport.ts'
import type { DiskWatch } from './disk-watch.ts'
import type { Engine } from './engine.ts'

/** Numbers of the broker's parts for `/metrics`, asked at each scrape: none of them costs anything between two. */
export function describeMetrics(
  metrics: Metrics,
  parts: { readonly engine: Engine; readonly transport: HttpTransport; readonly disk: DiskWatch },
): void {
  const { engine, transport, disk } = parts
  const { registry, store } = engine
  const { queued } = engine.host
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.gauge({ name: `synod_${name}`, help }, read)
  gauge('replicas', 'Partitions that this broker holds a replica of.', () => registry.replicaCount)
  gauge('leaders', 'Partitions that this broker leads.', () => registry.leaderCount)
  gauge(
    'digests_sent_total',
    'Messages by which this broker told others what it holds, for comparison.',
    () => engine.digests.sentCount,
  )
  gauge(
    'digest_differences_total',
    'Times at which another broker held something else at the same slot: never, unless data is damaged.',
    () => engine.digests.differenceCount,
  )
  gauge('append_queue_bytes', 'Bytes that wait to be proposed.', () => queued.bytes)
  gauge(
    'journal_bytes_total',
    'Bytes appended to the journal since the start.',
    () => store.usage().journalBytes,
  )
  gauge('journal_syncs_total', 'Synced journal writes since the start.', () => store.usage().syncCount)
  gauge(
    'journal_synced_writes_total',
    'Persists made durable since the start; several share one sync.',
    () => store.usage().syncedWriteCount,
  )
  gauge(
    'journal_oldest_pending_seconds',
    'Age of the oldest write that waits for its sync.',
    () => store.usage().oldestPendingMs / 1000,
  )
  gauge('disk_free_bytes', 'Free bytes of the disk that holds the data folder.', () => disk.freeBytes ?? 0)
  const lanes = Object.keys(transport.counters().lanes) as (keyof ReturnType<
    HttpTransport['counters']
  >['lanes'])[]
  for (const lane of lanes) {
    gauge(
      `lane_${lane}_frames_sent_total`,
      `Frames sent on the ${lane} lanes.`,
      () => transport.counters().lanes[lane].framesOut,
    )
    gauge(
      `lane_${lane}_bytes_sent_total`,
      `Bytes sent on the ${lane} lanes.`,
      () => transport.counters().lanes[lane].bytesOut,
    )
    gauge(
      `lane_${lane}_dropped_total`,
      `Frames given up on the ${lane} lanes.`,
      () => transport.counters().lanes[lane].dropped,
    )
  }
}
