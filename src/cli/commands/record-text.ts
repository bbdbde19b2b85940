interface RecordLine {
  readonly partition: number
  readonly offset: number
  readonly key?: string | null
  readonly value?: unknown
  readonly text?: string
  readonly base64?: string
}

/** A record's line of JSON as people read it: `partition@offset key value`. */
export function recordText(line: string): string {
  const record = JSON.parse(line) as RecordLine
  const place = `${record.partition}@${record.offset}`
  const key = record.key === undefined || record.key === null ? '' : `${record.key} `
  if (record.text !== undefined) return `${place} ${key}${record.text}`
  if (record.base64 !== undefined) return `${place} ${key}base64:${record.base64}`
  if (record.value === undefined) return `${place} ${key}(tombstone)`
  return `${place} ${key}${valueSource(line)}`
}

/**
 * The value as it stands in the line, because parsing and printing it again would change long numbers.
 * No text before it can hold the marker, as a quote inside a text is escaped, and `value` comes before other objects.
 */
function valueSource(line: string): string {
  const marker = '"value":'
  const start = line.indexOf(marker) + marker.length
  let depth = 0
  let isInText = false
  for (let at = start; at < line.length; at++) {
    const character = line[at]
    if (isInText) {
      if (character === '\\') at++
      else if (character === '"') isInText = false
    } else if (character === '"') isInText = true
    else if (character === '{' || character === '[') depth++
    else if (depth > 0 && (character === '}' || character === ']')) depth--
    else if (depth === 0 && (character === ',' || character === '}')) return line.slice(start, at).trim()
  }
  return line.slice(start)
}
