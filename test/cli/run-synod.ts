import { execFile } from 'node:child_process'
import { MAIN } from '../support/dev-cluster.ts'

export interface Run {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The command as it is built, in a process of its own, with nothing of a broker in its environment. */
export function runSynod(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: { PATH: process.env['PATH'], ...env } },
      (error, out, err) => resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    )
  })
}
