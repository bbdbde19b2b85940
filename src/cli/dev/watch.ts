import { readCluster } from '../commands/cluster.ts'
import type { ClusterAnswer } from '../commands/cluster.ts'

/** What changed in the cluster between two looks, a sentence each. */
export function changesBetween(before: ClusterAnswer, after: ClusterAnswer): string[] {
  const changes: string[] = []
  for (const broker of after.brokers) {
    const earlier = before.brokers.find((each) => each.id === broker.id)
    if (earlier?.state !== broker.state) changes.push(`broker ${broker.id} is ${broker.state}`)
  }
  if (before.controller !== after.controller) {
    changes.push(
      after.controller === undefined
        ? 'there is no controller'
        : `the controller is broker ${after.controller}`,
    )
  }
  const leads = leaderText(after)
  if (leaderText(before) !== leads) changes.push(`partitions led: ${leads}`)
  return changes
}

function leaderText(cluster: ClusterAnswer): string {
  return cluster.brokers.map(({ id, leaderCount }) => `broker ${id}: ${leaderCount}`).join(', ')
}

export interface Watch {
  stop(): void
}

const LOOK_TIMEOUT_MS = 900

/**
 * Looks at the cluster again and again by any broker that answers, and tells what changed. A look that nobody answers
 * is left out: the brokers' own ends are told by who started them.
 */
export function watchCluster(
  urls: () => readonly string[],
  options: { readonly everyMs: number; readonly onChange: (change: string) => void },
): Watch {
  let isStopped = false
  let before: ClusterAnswer | undefined
  let timer: NodeJS.Timeout | undefined
  const look = async (): Promise<void> => {
    const after = await firstAnswer(urls())
    if (isStopped) return
    if (after !== undefined) {
      if (before !== undefined) changesBetween(before, after).forEach(options.onChange)
      before = after
    }
    timer = setTimeout(() => void look(), options.everyMs)
  }
  void look()
  return {
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}

async function firstAnswer(urls: readonly string[]): Promise<ClusterAnswer | undefined> {
  for (const url of urls) {
    try {
      return await readCluster(url, { timeoutMs: LOOK_TIMEOUT_MS })
    } catch {
      // The next broker may answer.
    }
  }
  return undefined
}
