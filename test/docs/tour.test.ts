import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Reader } from './reader.ts'
import { snippetsOf } from './snippets.ts'

/** Tests run at the project's root. The tools that a reader is told to have, and those of any system. */
const without = process.platform === 'win32' ? 'The tour is for a POSIX shell.' : false

test('docs/tour.md does what it shows, from the first line to the last', { skip: without }, async (t) => {
  const snippets = snippetsOf(readFileSync('docs/tour.md', 'utf8'))
  assert.ok(snippets.length >= 15, `Only ${snippets.length} snippets were found.`)
  const reader = new Reader(t)
  for (const snippet of snippets) {
    assert.ok(snippet.shown !== undefined, `Line ${snippet.line} shows no answer.`)
    await reader.follow(snippet)
  }
  await reader.stop()
})

test('the snippets of README.md work as they stand there', { skip: without }, async (t) => {
  const snippets = snippetsOf(readFileSync('README.md', 'utf8'))
  assert.ok(snippets.length >= 8, `Only ${snippets.length} snippets were found.`)
  const reader = new Reader(t)
  reader.have('app.ndjson', '{"text":"started"}\n')
  for (const snippet of snippets) await reader.follow(snippet)
  await reader.stop()
})
