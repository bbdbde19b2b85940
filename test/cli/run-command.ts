import { Command } from 'commander'
import type { Output } from '../../src/cli/output.ts'

interface CommandModule {
  addCommand(program: Command, output: Output): void
}

export interface Collected {
  readonly output: Output
  readonly lines: string[]
  readonly notes: string[]
}

/** An output that keeps what is written. */
export function collectOutput(): Collected {
  const lines: string[] = []
  const notes: string[] = []
  const output: Output = {
    line: (text) => void lines.push(text),
    note: (text) => void notes.push(text),
    drained: () => Promise.resolve(),
  }
  return { output, lines, notes }
}

/** Runs one command in this process; commander's own complaints are thrown instead of ending the process. */
export async function runCommand(module: CommandModule, ...args: string[]): Promise<Collected> {
  const collected = collectOutput()
  const program = new Command('synod')
    .exitOverride()
    .configureOutput({ writeErr: (text) => void collected.notes.push(text) })
  module.addCommand(program, collected.output)
  await program.parseAsync(args, { from: 'user' })
  return collected
}
