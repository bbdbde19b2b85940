import type { Random } from '../sim/random.ts'

/** Values that are legal JSON and seldom meant. */
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  -1e-308,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  '',
  '\u0000',
  '\ud800',
  '__proto__',
  'a'.repeat(5_000),
  '2026-02-30T00:00:00Z',
  'AAA',
  [],
  {},
  [[[]]],
  { toString: 1 },
  { length: 5 },
]
const ODD_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  '',
  'records',
  'value',
  'text',
  'x'.repeat(300),
  '\u0000',
]

/** A copy, because it becomes part of what is changed further. */
function oddValue(random: Random): unknown {
  return structuredClone(random.pick(ODD_VALUES))
}

type Container = unknown[] | Record<string, unknown>

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

function containersOf(value: unknown, found: Container[] = []): Container[] {
  if (!isContainer(value)) return found
  found.push(value)
  for (const part of Object.values(value)) containersOf(part, found)
  return found
}

/** A changed copy of a JSON value: parts replaced, left out, renamed, doubled, nested or added. */
export function spoilJson(original: unknown, random: Random, count = 1 + random.integer(3)): unknown {
  let value: unknown = structuredClone(original)
  for (let turn = 0; turn < count; turn++) {
    const containers = containersOf(value)
    if (containers.length === 0 || random.chance(0.03)) {
      value = oddValue(random)
      continue
    }
    spoilContainer(random.pick(containers), random)
  }
  return value
}

function spoilContainer(container: Container, random: Random): void {
  const fields = container as Record<string, unknown>
  const names = Object.keys(container)
  const name = names.length === 0 ? undefined : random.pick(names)
  const turn = random.integer(6)
  if (name === undefined || turn === 0) {
    const added = Array.isArray(container) ? String(container.length) : random.pick(ODD_NAMES)
    define(fields, added, oddValue(random))
  } else if (turn === 1) {
    if (Array.isArray(container)) container.splice(Number(name), 1)
    else delete fields[name]
  } else if (turn === 2 && !Array.isArray(container)) {
    const kept = fields[name]
    delete fields[name]
    define(fields, random.pick(ODD_NAMES), kept)
  } else if (turn === 3 && Array.isArray(container)) {
    container.push(structuredClone(fields[name]))
  } else if (turn === 4) {
    define(fields, name, [structuredClone(fields[name])])
  } else {
    define(fields, name, oddValue(random))
  }
}

/** As JSON.parse does it: also a name such as __proto__ becomes an ordinary member. */
function define(fields: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true })
}

/** Text of a JSON value that a writer of another kind might make: other spaces, escapes, doubled members. */
export function looseJson(value: unknown, random: Random): string {
  const space = (): string => (random.chance(0.2) ? random.pick([' ', '\n', '\t ', '\r\n']) : '')
  if (Array.isArray(value))
    return `[${space()}${value.map((part) => looseJson(part, random)).join(`${space()},`)}${space()}]`
  if (!isContainer(value)) return looseScalar(value, random)
  const members = Object.entries(value).flatMap(([name, part]) => {
    const member = `${space()}${looseText(name, random)}${space()}:${space()}${looseJson(part, random)}`
    return random.chance(0.03) ? [member, member] : [member]
  })
  return `{${members.join(',')}${space()}}`
}

function looseScalar(value: unknown, random: Random): string {
  if (typeof value === 'string') return looseText(value, random)
  if (typeof value === 'number' && random.chance(0.1))
    return random.pick(['1e400', '-0', '12345678901234567890', '1.0', '0.1e1', '01'])
  return JSON.stringify(value) ?? 'null'
}

function looseText(text: string, random: Random): string {
  const plain = JSON.stringify(text)
  if (!random.chance(0.1)) return plain
  const escaped = Array.from({ length: Math.min(text.length, 200) }, (_, at) => {
    return `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
  })
  return `"${escaped.join('')}"`
}
