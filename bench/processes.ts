import { readFileSync } from 'node:fs'
import type { DevCluster } from '../test/support/dev-cluster.ts'

/** User and system time of all brokers so far, from the kernel (100 ticks a second on Linux). */
export function cpuSeconds(cluster: DevCluster): number {
  return cluster.brokers().reduce((sum, { pid }) => {
    const fields = processStat(pid)
    return sum + (Number(fields[11]) + Number(fields[12])) / 100
  }, 0)
}

/** Resident memory of all brokers. */
export function residentMiB(cluster: DevCluster): number {
  return cluster.brokers().reduce((sum, { pid }) => sum + (Number(processStat(pid)[21]) * 4096) / 2 ** 20, 0)
}

function processStat(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
