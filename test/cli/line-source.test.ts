import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CommandError } from '../../src/cli/exit-codes.ts'
import { LineSource } from '../../src/cli/line-source.ts'

const MANY = { countMax: 1_000, bytesMax: 1_000_000 }

// oxlint-disable-next-line typescript/require-await -- A stream of bytes is asynchronous by its type.
async function* stream(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

async function all(source: LineSource, limits = MANY): Promise<string[]> {
  const lines: string[] = []
  for (;;) {
    const group = await source.take(limits)
    if (group.length === 0) return lines
    lines.push(...group)
  }
}

describe('LineSource', () => {
  test('gives the lines that are there without waiting for more', async () => {
    const source = new LineSource(stream('a\nb\nc', 'd\n', 'e'))
    assert.deepEqual(await source.take(MANY), ['a', 'b'])
    assert.deepEqual(await source.take(MANY), ['cd'])
    assert.deepEqual(await source.take(MANY), ['e'])
    assert.deepEqual(await source.take(MANY), [])
    assert.equal(source.bytesRead, 8)
  })

  test('keeps the bounds on count and bytes, but always gives one line', async () => {
    const source = new LineSource(stream('aaaa\nbb\ncc\ndddd\n'))
    assert.deepEqual(await source.take({ countMax: 1, bytesMax: 100 }), ['aaaa'])
    assert.deepEqual(await source.take({ countMax: 9, bytesMax: 4 }), ['bb', 'cc'])
    assert.deepEqual(await source.take({ countMax: 9, bytesMax: 1 }), ['dddd'])
  })

  test('keeps empty lines and drops the carriage return of Windows', async () => {
    assert.deepEqual(await all(new LineSource(stream('a\r\n\nb\n'))), ['a', '', 'b'])
  })

  test('refuses a line that would fill the memory', async () => {
    const endless = Array.from({ length: 17 }, () => Buffer.alloc(1024 * 1024, 'x'))
    await assert.rejects(all(new LineSource(stream(...endless))), CommandError)
  })

  test('gives the same lines however the bytes are cut', async () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'é', '😀', '\n', '"') })
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat({ max: 40 })), async (content, cuts) => {
        const bytes = Buffer.from(content)
        const edges = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].toSorted(
          (a, b) => a - b,
        )
        const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge))
        const lines = await all(new LineSource(stream(...chunks)), { countMax: 3, bytesMax: 10 })
        assert.deepEqual(
          lines,
          content
            .replace(/\n$/, '')
            .split('\n')
            .slice(0, content === '' ? 0 : undefined),
        )
      }),
    )
  })
})
