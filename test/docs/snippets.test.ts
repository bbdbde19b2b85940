import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isAsShown, snippetsOf } from './snippets.ts'

const fence = '```'

test('a snippet is a block of sh or js with the unmarked block right below it', () => {
  const text = [
    'Words.',
    `${fence}sh\ncurl a\n${fence}`,
    '',
    `${fence}\nanswer\n${fence}`,
    `${fence}js\nf()\n${fence}`,
    'More words.',
    `${fence}\nno answer\n${fence}`,
  ].join('\n')
  assert.deepEqual(snippetsOf(text), [
    { language: 'sh', code: 'curl a\n', line: 3, shown: 'answer\n' },
    { language: 'js', code: 'f()\n', line: 10, shown: undefined },
  ])
})

test('an answer is as shown only when all of it is, and dots stand for anything', () => {
  assert.ok(isAsShown('{"offset":0,"at":"now"}\n', '{"offset":0,"at":"…"}'))
  assert.ok(isAsShown('a\nb\nc', '…\nc'))
  assert.ok(!isAsShown('{"offset":1,"at":"now"}', '{"offset":0,"at":"…"}'))
  assert.ok(!isAsShown('a\nb', 'a'))
  assert.ok(!isAsShown('a', 'a\nb'))
})
