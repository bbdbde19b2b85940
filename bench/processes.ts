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
  return cluster.brokers().reduce((sum, { pid }) => sum + residentBytes(pid) / 2 ** 20, 0)
}

/** Resident memory of one process. */
export function residentBytes(pid: number): number {
  return Number(processStat(pid)[21]) * 4096
}

/** The resident memory of a process over time, looked at four times a second until it is stopped. */
export class MemoryWatch {
  readonly #samples: number[] = []
  readonly #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.#samples.push(residentBytes(pid))
    this.#timer = setInterval(() => {
      try {
        this.#samples.push(residentBytes(pid))
      } catch {
        // The process has ended.
        clearInterval(this.#timer)
      }
    }, 250)
  }

  /** Of bytes: how it began, how it ended, and the most there was. */
  stop(): { readonly first: number; readonly last: number; readonly most: number } {
    clearInterval(this.#timer)
    return { first: this.#samples[0]!, last: this.#samples.at(-1)!, most: Math.max(...this.#samples) }
  }
}

function processStat(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}
