import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { LineSplitter } from '../../../../src/gateway/http/ingest/line-splitter.ts'

function split(chunks: readonly string[], lineBytesMax = 1_000) {
  const splitter = new LineSplitter(lineBytesMax)
  const lines = chunks.flatMap((chunk) => [...splitter.push(Buffer.from(chunk))])
  const last = splitter.end()
  return (last === undefined ? lines : [...lines, last]).map(({ number, source, byteCount }) => ({
    number,
    text: source.toString(),
    byteCount,
  }))
}

test('a body has the same lines however it was cut on its way', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'é', '\n', '{') })), (chunks) => {
      const body = chunks.join('')
      const lines = split(chunks)
      const expected = body.split('\n')
      if (expected.at(-1) === '') expected.pop()
      assert.deepEqual(
        lines.map(({ text }) => text),
        expected,
      )
      assert.deepEqual(
        lines.map(({ number }) => number),
        expected.map((_, index) => index + 1),
      )
      const byteCount = lines.reduce((sum, line) => sum + line.byteCount, 0)
      assert.equal(byteCount, Buffer.byteLength(body))
    }),
  )
})

test('a line that is too long is refused by its number, before it is there as a whole', () => {
  assert.equal(split(['aaaa\naaaa'], 4).length, 2)
  const splitter = new LineSplitter(4)
  assert.equal([...splitter.push(Buffer.from('a\naaa'))].length, 1)
  assert.equal(splitter.heldBytes, 3)
  assert.throws(() => [...splitter.push(Buffer.from('aa'))], {
    code: 'record-too-large',
    facts: { line: 2 },
  })
})
