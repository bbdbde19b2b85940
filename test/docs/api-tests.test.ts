import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { ERROR_CODES } from '../../src/errors.ts'
import { CLOSE_CODE } from '../../src/gateway/ws/close-code.ts'
import { BINARY_FRAMES, CLIENT_FRAMES, SERVER_FRAMES } from '../../src/gateway/ws/session-frames.ts'

interface Row {
  readonly section: string
  /** What stands in backticks. */
  readonly names: readonly string[]
  readonly path: string
  readonly title: string
}

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, { readonly headers?: Readonly<Record<string, unknown>> }>>
}

const page = readFileSync('docs/api-tests.md', 'utf8')
const rows = page.split(/^## /m).flatMap((section): Row[] => {
  const [title = ''] = section.split('\n')
  return [...section.matchAll(/^\| (.*) \| \[.*\]\(\.\.\/(.*)\): (.*) \|$/gm)].map(
    ([, what = '', path = '', name = '']) => ({
      section: title,
      names: [...what.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word.toLowerCase()),
      path,
      title: name,
    }),
  )
})

const document = parse(readFileSync('openapi/openapi.yaml', 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}
const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods))

function parameters(kind: string): string[] {
  return operations.flatMap((operation) =>
    (operation.parameters ?? []).filter((each) => each.in === kind).map(({ name }) => name),
  )
}

const answered = operations.flatMap(({ responses }) =>
  Object.values(responses).flatMap(({ headers }) => Object.keys(headers ?? {})),
)

const due: Readonly<Record<string, readonly string[]>> = {
  Operations: operations.map(({ operationId }) => operationId),
  Parameters: parameters('query'),
  Headers: [...parameters('header'), ...answered],
  Frames: Object.keys({ ...CLIENT_FRAMES, ...SERVER_FRAMES, ...BINARY_FRAMES }),
  'Close codes': Object.values(CLOSE_CODE).map(String),
  'Codes of problems': ERROR_CODES,
}

describe('docs/api-tests.md', () => {
  for (const [section, names] of Object.entries(due)) {
    test(`has every one of the ${section.toLowerCase()}`, () => {
      assert.ok(names.length >= 7, `Only ${names.length} were found.`)
      const shown = new Set(rows.filter((row) => row.section === section).flatMap((row) => row.names))
      assert.deepEqual(
        names.filter((name) => !shown.has(name.toLowerCase())),
        [],
      )
    })
  }

  test('names tests that are there', () => {
    const lines = page.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| what '))
    assert.equal(rows.length, lines.length, 'Some row is not written as the others are.')
    assert.deepEqual(
      rows.filter(({ path, title }) => !hasTest(path, title)).map(({ path, title }) => `${path}: ${title}`),
      [],
    )
  })

  test('would notice a test that has another name, or is somewhere else', () => {
    const { path, title } = rows[0]!
    assert.ok(hasTest(path, title))
    assert.ok(!hasTest(path, `${title}.`))
    assert.ok(!hasTest(path, title.slice(1)))
    assert.ok(!hasTest('test/nowhere.test.ts', title))
  })
})

/** Whether a test begins with exactly this name in the file. */
function hasTest(path: string, title: string): boolean {
  if (!existsSync(path)) return false
  const source = readFileSync(path, 'utf8')
  return [`'`, '"', '`'].some((quote) =>
    new RegExp(`\\btest\\(\\s*${quote}${escaped(title)}${quote},`).test(source),
  )
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
