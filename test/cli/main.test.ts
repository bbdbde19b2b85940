import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { EXIT, EXIT_CODES_TEXT } from '../../src/cli/exit-codes.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url))

function synod(...args: string[]): { code: number | null; out: string; err: string } {
  const result = spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  return { code: result.status, out: result.stdout, err: result.stderr }
}

describe('synod', () => {
  test('shows its commands and exit codes', () => {
    const { code, out } = synod('--help')
    assert.equal(code, EXIT.ok)
    for (const name of [
      'serve',
      'dev',
      'topic',
      'produce',
      'tail',
      'cluster',
      'doctor',
      'config',
      'completion',
    ])
      assert.match(out, new RegExp(`^  ${name} `, 'm'))
    assert.ok(out.includes(EXIT_CODES_TEXT))
  })

  test('documents every exit code in its help and in docs/operations.md', () => {
    const page = readFileSync('docs/operations.md', 'utf8')
    for (const code of Object.values(EXIT)) {
      assert.match(EXIT_CODES_TEXT, new RegExp(`^  ${code} `, 'm'))
      assert.match(page, new RegExp(`^\\| ${code} \\|`, 'm'))
    }
  })

  test('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    assert.equal(synod('--version').out.trim(), version)
  })

  test('ends with 64 and without a stack at wrong usage', () => {
    for (const args of [
      [],
      ['nope'],
      ['tail'],
      ['topic', 'lsit'],
      ['dev', '--brokers', 'x'],
      ['serve', '--port', '1'],
    ]) {
      const { code, err } = synod(...args)
      assert.equal(code, EXIT.usage, args.join(' '))
      assert.doesNotMatch(err, /^ +at /m)
    }
  })

  test('ends with 64 and one sentence a problem when the configuration is wrong', () => {
    const { code, out, err } = synod('serve', '--broker-id', '0', '--ready-json')
    assert.equal(code, EXIT.usage)
    assert.match(err, /^synod: The setting brokerId is 0 but must be at least 1\.\n/)
    const line = JSON.parse(out) as Record<string, unknown>
    assert.equal(line['ready'], false)
    assert.equal(line['exitCode'], EXIT.usage)
    assert.equal(line['error'], 'The setting brokerId is 0 but must be at least 1.')
  })

  test('ends with 69 when no broker answers', () => {
    const { code, err } = synod('cluster', '--url', 'http://127.0.0.1:2')
    assert.equal(code, EXIT.unavailable)
    assert.match(
      err,
      /^synod: No broker answers at http:\/\/127\.0\.0\.1:2: connection refused\.\nStart a cluster with/,
    )
  })
})
