import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { tempDir } from './support/temp-dir.ts'

const LINES_MAX = 500
const DESIGN_LINES_MAX = 150
const DESIGNED = ['paxos', 'storage', 'partition', 'controller', 'gateway']

function filesBelow(folder: string, ending: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.includes('node_modules'))
    .map((name) => join(folder, name))
}

const sources = filesBelow('src', '.ts')
const modules = [...sources, ...filesBelow('test', '.ts'), ...filesBelow('bench', '.ts')]
const pages = ['README.md', 'CHANGELOG.md'].concat(
  ['docs', 'src', 'test', 'bench', 'openapi'].flatMap((folder) => filesBelow(folder, '.md')),
)
const text = (path: string): string => readFileSync(path, 'utf8')

/** Source without comments and texts, so that words in them count for nothing. */
function bare(path: string): string {
  return text(path).replaceAll(/\/\*[^]*?\*\/|\/\/.*|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g, ' ')
}

describe('the house', () => {
  test(`has no file above ${LINES_MAX} lines`, () => {
    assert.ok(modules.length > 50, `Only ${modules.length} modules were found.`)
    assert.deepEqual(
      modules.filter((path) => text(path).split('\n').length > LINES_MAX + 1),
      [],
    )
  })

  test('has no note of work left to do', () => {
    // Written so that this file does not hold the words itself.
    const words = /FIX(?:ME)|\bTO(?:DO)\b/
    assert.deepEqual(
      [...modules, ...pages].filter((path) => words.test(text(path))),
      [],
    )
  })

  test('keeps promises out of the core', () => {
    const core = sources.filter((path) => /^src\/(paxos|detector)\//.test(path))
    assert.ok(core.length >= 10)
    assert.deepEqual(
      core.filter((path) => /\b(async|await|Promise)\b/.test(bare(path))),
      [],
    )
  })

  test('loads modules late only in the command, where it makes other commands start faster', () => {
    const late = sources.filter((path) => /\bimport\(/.test(bare(path)))
    assert.deepEqual(
      late.filter(
        (path) =>
          !['src/cli/main.ts', 'src/cli/commands/serve.ts', 'src/cli/commands/unsafe-recover.ts'].includes(
            path,
          ),
      ),
      [],
    )
  })

  test('shows every folder of src in the map of README.md', () => {
    const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory())
    assert.deepEqual(
      folders.filter(({ name }) => !text('README.md').includes(`\`src/${name}\``)).map(({ name }) => name),
      [],
    )
  })

  test('has a short design page in each main folder', () => {
    for (const folder of DESIGNED) {
      const page = join('src', folder, 'DESIGN.md')
      assert.ok(existsSync(page), `${page} is missing.`)
      assert.ok(text(page).split('\n').length <= DESIGN_LINES_MAX + 1, `${page} is too long.`)
    }
  })

  test('has no broken link between its pages and files', () => {
    let count = 0
    for (const page of pages) {
      for (const [, target = ''] of text(page).matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:|^#/.test(target)) continue
        count++
        assert.ok(
          existsSync(resolve(dirname(page), target.replace(/#.*/, ''))),
          `${page} links to ${target}, which is not there.`,
        )
      }
    }
    assert.ok(count > 20, `Only ${count} links were found.`)
  })

  test('stands alone', () => {
    const outside = ['..', 'shared'].join('/')
    assert.deepEqual(
      [...modules, ...pages, 'package.json'].filter((path) => text(path).includes(outside)),
      [],
    )
    assert.match(text('LICENSE'), /Apache License\s+Version 2\.0/)
  })
})

/** Files that each break one rule, and the rule. */
const PLANTED: readonly (readonly [path: string, rule: string, source: string])[] = [
  ['src/paxos/planted.ts', 'no-restricted-imports', "import { a } from 'node:fs'\nexport const b = a\n"],
  ['src/paxos/planted-clock.ts', 'no-restricted-globals', 'export const b = Date.now()\n'],
  ['src/paxos/planted-chance.ts', 'no-restricted-properties', 'export const b = Math.random()\n'],
  ['src/detector/planted.ts', 'no-restricted-globals', 'export const b = setTimeout(() => 1, 1)\n'],
  [
    'src/types/planted.ts',
    'no-restricted-imports',
    "import { SynodError } from '../errors.ts'\nexport const b = SynodError\n",
  ],
  [
    'src/storage/planted.ts',
    'no-restricted-imports',
    "import { a } from '../paxos/paxos.ts'\nexport const b = a\n",
  ],
  [
    'src/transport/planted.ts',
    'no-restricted-imports',
    "import type { LogStore } from '../storage/log-store.ts'\nexport type B = LogStore\n",
  ],
  [
    'src/observability/planted.ts',
    'no-restricted-imports',
    "import { SynodError } from '../errors.ts'\nexport const b = SynodError\n",
  ],
  [
    'src/partition/planted.ts',
    'no-restricted-imports',
    "import { a } from '../controller/a.ts'\nexport const b = a\n",
  ],
  [
    'src/controller/planted.ts',
    'no-restricted-imports',
    "import { a } from '../gateway/a.ts'\nexport const b = a\n",
  ],
  [
    'src/gateway/planted.ts',
    'no-restricted-imports',
    "import { a } from '../paxos/ballot.ts'\nexport const b = a\n",
  ],
  [
    'src/gateway/http/planted.ts',
    'no-restricted-imports',
    "import { a } from '../../partition/a.ts'\nexport const b = a\n",
  ],
  [
    'src/gateway/http/operations/planted.ts',
    'no-restricted-imports',
    "import { a } from '../../../paxos/a.ts'\nexport const b = a\n",
  ],
  [
    'src/broker/planted.ts',
    'no-restricted-imports',
    "import { a } from '../cli/main.ts'\nexport const b = a\n",
  ],
  ['src/cli/planted.ts', 'no-restricted-imports', "import { a } from '../broker.ts'\nexport const b = a\n"],
  [
    'src/cli/commands/planted.ts',
    'no-restricted-imports',
    "import { a } from '../../index.ts'\nexport const b = a\n",
  ],
  ['src/index.ts', 'no-restricted-imports', "export { a } from './paxos/paxos.ts'\n"],
  [
    'src/types/planted-cycle.ts',
    'no-cycle',
    "import { b } from './planted-cycle-back.ts'\nexport const a = (): unknown => b\n",
  ],
  [
    'src/types/planted-cycle-back.ts',
    'no-cycle',
    "import { a } from './planted-cycle.ts'\nexport const b = (): unknown => a\n",
  ],
  ['src/types/planted-float.ts', 'no-floating-promises', 'export function b(): void {\n  fetch("x")\n}\n'],
  [
    'src/types/planted-type.ts',
    'consistent-type-imports',
    "import { Slot } from './ids.ts'\nexport type B = Slot\n",
  ],
  [
    'src/types/planted-switch.ts',
    'switch-exhaustiveness-check',
    "export function b(a: 'x' | 'y'): void {\n  switch (a) {\n    case 'x':\n      return\n  }\n}\n",
  ],
  ['src/types/planted-any.ts', 'no-explicit-any', 'export const b: any = 1\n'],
]

interface LintReport {
  readonly number_of_files: number
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[]
}

/** Type-aware, in `folder`, over its `src`. */
function lint(folder: string): LintReport {
  const program = resolve('node_modules/oxlint/bin/oxlint')
  const result = spawnSync(process.execPath, [program, '--type-aware', '--format', 'json', 'src'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return JSON.parse(result.stdout) as LintReport
}

describe('the linter', () => {
  test('looks at every module and sees each kind of violation', (t) => {
    const folder = tempDir(t)
    cpSync('src', join(folder, 'src'), { recursive: true })
    for (const name of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) cpSync(name, join(folder, name))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    for (const [path, , source] of PLANTED) {
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), source)
    }
    const report = lint(folder)
    assert.equal(report.number_of_files, new Set([...sources, ...PLANTED.map(([path]) => path)]).size)
    const unseen = PLANTED.filter(
      ([path, rule]) =>
        !report.diagnostics.some((each) => each.filename === path && each.code.includes(`(${rule})`)),
    )
    assert.deepEqual(
      unseen.map(([path, rule]) => `${path}: ${rule}`),
      [],
    )
  })

  test('has import rules for every module in a folder', () => {
    const config = JSON.parse(text('.oxlintrc.json')) as { overrides: { files: string[]; rules: object }[] }
    const ruled = config.overrides
      .filter(({ rules }) => 'no-restricted-imports' in rules)
      .flatMap(({ files }) => files)
    const patterns = ruled.map(
      (glob) => new RegExp(`^${glob.replaceAll('.', '\\.').replaceAll('*', '[^/]*')}$`),
    )
    const free = sources.filter((path) => !patterns.some((pattern) => pattern.test(path)))
    assert.deepEqual(
      free.filter((path) => path.split('/').length > 2),
      [],
    )
  })
})
