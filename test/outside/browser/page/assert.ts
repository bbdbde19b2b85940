/** What the conformance cases use of node:assert/strict, where there is no Node. */
const assert = {
  ok(value: unknown, message?: string): void {
    if (!value) throw new Error(message ?? `${String(value)} is not true`)
  },
  equal(actual: unknown, expected: unknown, message?: string): void {
    if (!Object.is(actual, expected)) throw new Error(message ?? `${show(actual)} is not ${show(expected)}`)
  },
  deepEqual(actual: unknown, expected: unknown, message?: string): void {
    const [left, right] = [show(actual), show(expected)]
    if (left !== right) throw new Error(message ?? `${left} is not ${right}`)
  },
}

/** Equal for equal values: names in order, and what JSON does not know written out. */
function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (value instanceof Uint8Array) return `bytes ${value.join(' ')}`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{${Object.entries(value)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, each]) => `${name}: ${show(each)}`)
      .join(', ')}}`
  return JSON.stringify(value)
}

// oxlint-disable-next-line import/no-default-export -- node:assert/strict has one.
export default assert
