import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { SHELLS } from '../../../src/cli/completion/scripts.ts'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { runSynod } from '../run-synod.ts'

/** The words in the first column of a section of the help, which commander itself writes. */
async function namesInHelp(
  section: 'Commands' | 'Options',
  ...command: readonly string[]
): Promise<readonly string[]> {
  const { out } = await runSynod([...command, '--help'])
  const [, lines = ''] = new RegExp(`^${section}:\n((?:  .*\n)+)`, 'm').exec(out) ?? []
  return [...lines.matchAll(/^ {2}(?:-\w, )?([a-z-]+)/gm)].map(([, name = '']) => name)
}

function isThere(program: string): boolean {
  return spawnSync(program, ['--version']).error === undefined
}

/** What bash would offer for the last of these words. */
function offeredByBash(script: string, ...words: readonly string[]): readonly string[] {
  const list = words.map((word) => `'${word}'`).join(' ')
  const asked = `${script}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _synod; printf '%s\\n' "\${COMPREPLY[@]}"`
  const out = execFileSync('bash', ['--norc', '-c', asked], { encoding: 'utf8' })
  return out.split('\n').filter((line) => line !== '')
}

describe('synod completion', () => {
  test('names every command, and every option of those below, in each shell', async () => {
    const commands = await namesInHelp('Commands')
    assert.ok(commands.length > 12, commands.join())
    const below = await namesInHelp('Commands', 'topic')
    const options = await namesInHelp('Options', 'topic', 'export')
    assert.ok(below.includes('export') && options.includes('--until'))
    for (const shell of SHELLS) {
      const { code, out } = await runSynod(['completion', shell])
      assert.equal(code, EXIT.ok)
      for (const name of [...commands, ...below, ...options].filter((each) => each !== 'help'))
        assert.ok(
          new RegExp(`(^|[^a-z])${name}([^a-z-]|$)`, 'm').test(out) ||
            new RegExp(`-l ${name.slice(2)} `).test(out),
          `${shell} has no ${name}.`,
        )
    }
  })

  test('completes in a real bash', { skip: !isThere('bash') }, async () => {
    const { out: script } = await runSynod(['completion', 'bash'])
    assert.deepEqual(offeredByBash(script, 'synod', 'comp'), ['completion'])
    assert.deepEqual(offeredByBash(script, 'synod', 'topic', 'ex'), ['export'])
    assert.deepEqual(offeredByBash(script, 'synod', 'topic', 'export', 'orders', '--unt'), ['--until'])
    assert.deepEqual(offeredByBash(script, 'synod', 'topic', 'export', '-o', 'ex'), [])
    assert.ok(offeredByBash(script, 'synod', '').includes('doctor'))
  })

  for (const shell of ['zsh', 'fish'])
    test(`is a script that ${shell} can read`, { skip: !isThere(shell) }, async () => {
      const { out } = await runSynod(['completion', shell])
      const { status, stderr } = spawnSync(shell, ['-n'], { input: out, encoding: 'utf8' })
      assert.equal(status, 0, stderr)
    })

  test('refuses a shell that it does not know', async () => {
    const { code, err } = await runSynod(['completion', 'csh'])
    assert.equal(code, EXIT.usage)
    assert.match(err, /bash, zsh, fish/)
  })
})
