const RFC_3339 = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/** Epoch milliseconds of an RFC 3339 time, or undefined when the text is none. Below a millisecond is cut off. */
export function parseTimestamp(text: string): number | undefined {
  const match = RFC_3339.exec(text)
  if (match === null) return undefined
  // Date.parse moves the 31st of a short month into the next one instead of refusing it.
  const daysInMonth = new Date(Date.UTC(Number(match[1]), Number(match[2]), 0)).getUTCDate()
  if (Number(match[3]) > daysInMonth) return undefined
  const timeMs = Date.parse(text)
  return Number.isNaN(timeMs) || timeMs < 0 ? undefined : timeMs
}
