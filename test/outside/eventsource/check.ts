import { withCluster } from '../cluster.ts'
import { readEventsOverAKill, type EventReader } from '../events-scene.ts'
import { nodePackage, type CheckOutcome } from '../prepare.ts'

/** What is used of the package `eventsource`. */
interface EventSourceLike {
  readonly readyState: number
  addEventListener(type: string, listener: (event: { readonly data: string }) => void): void
  close(): void
}

/** The EventSource that programs on Node use reads what a broker sends. */
export async function checkWithEventSource(): Promise<CheckOutcome> {
  const { EventSource } = nodePackage('eventsource') as { EventSource: new (url: string) => EventSourceLike }
  const sentence = await withCluster((cluster) =>
    readEventsOverAKill(cluster, async (url) => readerOf(new EventSource(url))),
  )
  return { kind: 'passed', sentence }
}

function readerOf(source: EventSourceLike): EventReader {
  const seen: string[] = []
  let openedCount = 0
  source.addEventListener('message', ({ data }) => seen.push(data))
  source.addEventListener('open', () => openedCount++)
  return {
    seen: async () => seen,
    openedCount: async () => openedCount,
    readyState: async () => source.readyState,
    close: async () => source.close(),
  }
}
