import type { CompletionNode } from './tree.ts'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

/** A script that the shell runs at its start. */
export function completionScript(shell: Shell, nodes: readonly CompletionNode[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(nodes)
    case 'zsh':
      return zshScript(nodes)
    case 'fish':
      return fishScript(nodes)
  }
}

/** Also works with the bash 3.2 of macOS. Where nothing fits, files are offered. */
function bashScript(nodes: readonly CompletionNode[]): string {
  const cases = nodes.map(
    (node) =>
      `    ${quoted(node.path)}) words=${quoted(wordsOf(node).join(' '))} valued=${quoted(` ${valuedOf(node).join(' ')} `)} ;;`,
  )
  return `# synod completion for bash; add to ~/.bashrc: source <(synod completion bash)
_synod() {
  local at=synod words= valued= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at \${COMP_WORDS[i]}" in
      ${pathsBelow(nodes)}) at="$at \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  [[ "$valued" == *" \${COMP_WORDS[COMP_CWORD - 1]} "* ]] && return
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _synod synod
`
}

function zshScript(nodes: readonly CompletionNode[]): string {
  const cases = nodes.map((node) => {
    const offered = [...node.commands, ...node.options].map(({ word, summary }) =>
      quoted(`${word.replaceAll(':', '\\:')}:${summary.replaceAll('\\', '\\\\').replaceAll(':', '\\:')}`),
    )
    return `    ${quoted(node.path)}) offered=(${offered.join(' ')}) valued=(${valuedOf(node).join(' ')}) ;;`
  })
  return `#compdef synod
# synod completion for zsh; add to ~/.zshrc after compinit: source <(synod completion zsh)
_synod() {
  local at=synod i
  local -a offered valued
  for ((i = 2; i < CURRENT; i++)); do
    case "$at \${words[i]}" in
      ${pathsBelow(nodes)}) at="$at \${words[i]}" ;;
    esac
  done
  case "$at" in
${cases.join('\n')}
  esac
  if (( \${valued[(Ie)\${words[CURRENT - 1]}]} )); then
    _files
    return
  fi
  _describe -t commands synod offered || _files
}
if [ "$funcstack[1]" = _synod ]; then
  _synod "$@"
else
  compdef _synod synod
fi
`
}

function fishScript(nodes: readonly CompletionNode[]): string {
  const lines = nodes.flatMap((node) => {
    const condition = `complete -c synod -n ${fishQuoted(`__synod_at ${fishQuoted(node.path)}`)}`
    return [
      ...node.commands.map(({ word, summary }) => `${condition} -f -a ${word} -d ${fishQuoted(summary)}`),
      ...node.options.map(({ word, summary, takesValue }) => {
        const name = word.startsWith('--') ? `-l ${word.slice(2)}` : `-s ${word.slice(1)}`
        return `${condition} ${name}${takesValue ? ' -r' : ''} -d ${fishQuoted(summary)}`
      }),
    ]
  })
  return `# synod completion for fish: synod completion fish > ~/.config/fish/completions/synod.fish
function __synod_at
  set -l at synod
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${nodes
        .slice(1)
        .map(({ path }) => fishQuoted(path))
        .join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

function wordsOf({ commands, options }: CompletionNode): readonly string[] {
  return [...commands, ...options].map(({ word }) => word)
}

function valuedOf({ options }: CompletionNode): readonly string[] {
  return options.filter(({ takesValue }) => takesValue).map(({ word }) => word)
}

function pathsBelow(nodes: readonly CompletionNode[]): string {
  return nodes
    .slice(1)
    .map(({ path }) => quoted(path))
    .join(' | ')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** Fish knows backslashes inside quotes. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
