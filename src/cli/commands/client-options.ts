import type { Command } from 'commander'
import { Option } from 'commander'
import { DEFAULT_URL } from '../http.ts'

/** What every command that talks to a cluster takes. */
export interface ClientOptions {
  readonly url: string
  readonly json?: boolean
}

export function withClientOptions(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'any broker of the cluster').env('SYNOD_URL').default(DEFAULT_URL))
    .option('--json', 'print JSON for programs')
}
