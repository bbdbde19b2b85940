/** A piece of a document that a reader would copy, and what the document says that it answers. */
export interface Snippet {
  readonly language: 'sh' | 'js'
  readonly code: string
  /** Of the first line of the code, from 1. */
  readonly line: number
  /** The block without a language right below it. */
  readonly shown: string | undefined
}

/** All blocks marked `sh` and `js`, in order. Blocks without a language are no commands, or somebody's answer. */
export function snippetsOf(markdown: string): readonly Snippet[] {
  const snippets: Snippet[] = []
  const fence = /^```(\w*)\n([^]*?)^```$/gm
  let endOfLast = -1
  for (const match of markdown.matchAll(fence)) {
    const [whole, language = '', code = ''] = match
    const before = markdown.slice(0, match.index)
    const last = snippets.at(-1)
    if (language === 'sh' || language === 'js') {
      snippets.push({ language, code, line: before.split('\n').length + 1, shown: undefined })
      endOfLast = match.index + whole.length
    } else if (language === '' && last !== undefined && before.slice(endOfLast).trim() === '') {
      snippets[snippets.length - 1] = { ...last, shown: code }
    }
  }
  return snippets
}

/** Whether the answer is the one that is shown, where `…` stands for any text, and as a line of its own for any lines or none. */
export function isAsShown(answer: string, shown: string): boolean {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  // The columns of a table move with the width of what stands in them.
  const pattern = shown
    .trim()
    .replaceAll(/^…\n/gm, '…')
    .split('…')
    .map(literal)
    .join('[^]*?')
    .replaceAll(/ {2,}/g, ' +')
  return new RegExp(`^${pattern}$`).test(answer.trim())
}
