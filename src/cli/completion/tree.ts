import type { Command } from 'commander'

/** What can be typed after some words, read from the very commands that run. */
export interface CompletionNode {
  /** The words so far: 'synod topic list'. */
  readonly path: string
  readonly commands: readonly Completion[]
  readonly options: readonly OptionCompletion[]
}

export interface Completion {
  readonly word: string
  readonly summary: string
}

export interface OptionCompletion extends Completion {
  /** Another word follows it. */
  readonly takesValue: boolean
}

/** The command itself first, then everything below it. */
export function completionNodes(command: Command, above = ''): readonly CompletionNode[] {
  const path = `${above}${command.name()}`
  const { commands, options } = command
  const node: CompletionNode = {
    path,
    commands: commands.map((each) => ({ word: each.name(), summary: each.description() })),
    options: [
      ...options.flatMap(({ long, short, description, required }) =>
        [long, short]
          .filter((word) => word !== undefined && word !== null)
          .map((word) => ({ word, summary: description, takesValue: required })),
      ),
      { word: '--help', summary: 'print help', takesValue: false },
    ],
  }
  return [node, ...commands.flatMap((each) => completionNodes(each, `${path} `))]
}
