import { Argument } from 'commander'
import type { Command } from 'commander'
import { completionScript, SHELLS } from '../completion/scripts.ts'
import type { Shell } from '../completion/scripts.ts'
import { completionNodes } from '../completion/tree.ts'
import type { Output } from '../output.ts'

/** The program has to hold all its commands when this one runs. */
export function addCommand(program: Command, output: Output): void {
  program
    .command('completion')
    .description('print a script with which a shell completes commands and options')
    .addArgument(new Argument('<shell>', 'the shell that is to run it').choices(SHELLS))
    .action((shell: Shell) => output.line(completionScript(shell, completionNodes(program)).trimEnd()))
}
