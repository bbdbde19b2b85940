import { readFileSync } from 'node:fs'
import type { DevCluster } from '../test/support/dev-cluster.ts'

export function pidsOf(cluster: DevCluster): readonly number[] {
  return cluster.brokers().map(({ pid }) => pid)
}

/** User and system time of processes so far, from the kernel (100 ticks a second on Linux). */
export function cpuSeconds(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = processStat(pid)
    return sum + (Number(fields[11]) + Number(fields[12])) / 100
  }, 0)
}

/** Resident memory of processes. */
export function residentMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (Number(processStat(pid)[21]) * 4096) / 2 ** 20, 0)
}

function processStat(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return text.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** What a process holds itself, and what the system keeps in memory of files that it has mapped, and drops when it likes. */
export function memoryOf(pid: number): { readonly own: number; readonly mapped: number } {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) * 1024
  return { own: bytes('RssAnon'), mapped: bytes('RssFile') }
}

/** The memory of a process over time, looked at four times a second until it ends or the watch is stopped. */
export class MemoryWatch {
  readonly #samples: ReturnType<typeof memoryOf>[] = []
  readonly #timer: NodeJS.Timeout

  constructor(pid: number) {
    this.#samples.push(memoryOf(pid))
    this.#timer = setInterval(() => {
      try {
        const sample = memoryOf(pid)
        // A process that has ended and was not waited for yet has no memory.
        if (!Number.isNaN(sample.own)) this.#samples.push(sample)
      } catch {
        clearInterval(this.#timer)
      }
    }, 250)
  }

  /** Of bytes that the process holds itself: how it began, how it ended, and the most there was; and of files at most. */
  stop(): { readonly first: number; readonly last: number; readonly most: number; readonly mapped: number } {
    clearInterval(this.#timer)
    const own = this.#samples.map((sample) => sample.own)
    const mapped = Math.max(...this.#samples.map((sample) => sample.mapped))
    return { first: own[0]!, last: own.at(-1)!, most: Math.max(...own), mapped }
  }
}
