/**
 * The source of each member of a JSON object, by name: parsing and printing a value again would change long numbers and the
 * spaces between tokens. The text must be an object that JSON.parse accepts; of a name given twice the last one counts.
 */
export function memberSources(text: string): Map<string, string> {
  const members = new Map<string, string>()
  let at = afterBlank(text, text.indexOf('{') + 1)
  while (at < text.length && text[at] !== '}') {
    const nameEnd = afterString(text, at)
    const name = JSON.parse(text.slice(at, nameEnd)) as string
    const start = afterBlank(text, afterBlank(text, nameEnd) + 1)
    const end = afterValue(text, start)
    members.set(name, text.slice(start, end))
    at = afterBlank(text, end)
    if (text[at] === ',') at = afterBlank(text, at + 1)
  }
  return members
}

function afterBlank(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\n\r'.includes(text[at] ?? '')) at++
  return at
}

/** `from` stands on the opening quote. */
function afterString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return text.length
}

function afterValue(text: string, from: number): number {
  let depth = 0
  let at = from
  while (at < text.length) {
    const character = text[at] ?? ''
    if (character === '"') {
      at = afterString(text, at)
      if (depth === 0) return at
      continue
    }
    if (depth === 0 && ',} \t\n\r'.includes(character)) return at
    if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return at + 1
    at++
  }
  return at
}
