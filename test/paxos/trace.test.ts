import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { TraceInterpreter } from './trace-interpreter.ts'

/** Tests run from the checkout, so that the traces beside the sources are compared and rewritten. */
const TRACES = join(process.cwd(), 'test', 'paxos', 'traces')

/** The file with the output beneath each command made anew. Text and empty lines stay. */
function replay(file: string): string {
  const interpreter = new TraceInterpreter()
  const lines: string[] = []
  let isOutput = false
  for (const line of file.split('\n')) {
    if (line.startsWith('> ')) {
      lines.push(line, ...interpreter.run(line.slice(2)))
      isOutput = true
    } else if (line === '' || line.startsWith('#')) {
      lines.push(line)
      isOutput = false
    } else {
      assert.ok(isOutput, `'${line}' is neither a command nor beneath one.`)
    }
  }
  return lines.join('\n')
}

const names = readdirSync(TRACES).filter((name) => name.endsWith('.txt'))

test('there are fourteen conversations', () => {
  assert.equal(names.length, 14)
})

for (const name of names) {
  test(`the conversation '${name}' goes as its file says`, () => {
    const path = join(TRACES, name)
    const file = readFileSync(path, 'utf8')
    const replayed = replay(file)
    if (process.env['UPDATE_TRACES'] === '1') writeFileSync(path, replayed)
    else assert.equal(replayed, file)
  })
}
