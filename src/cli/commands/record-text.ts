import { memberSources } from '../json-members.ts'

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
  return `${place} ${key}${memberSources(line).get('value')}`
}
