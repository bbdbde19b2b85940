import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { configFields } from '../../src/config/schema.ts'

describe('configFields', () => {
  test('gives every setting a flag, a variable and a sentence', () => {
    const fields = configFields()
    assert.ok(fields.length >= 20)
    for (const field of fields) {
      assert.match(field.flag, /^--[a-z]+(-[a-z]+)*$/)
      assert.match(field.variable, /^SYNOD_[A-Z]+(_[A-Z]+)*$/)
      assert.match(field.doc, /^[A-Z].*\.$/, field.path)
    }
    assert.deepEqual(new Set(fields.map((field) => field.variable)).size, fields.length)
  })

  test('knows the defaults', () => {
    const defaults = new Map(configFields().map((field) => [field.path, field.defaultText]))
    assert.equal(defaults.get('public.port'), '8080')
    assert.equal(defaults.get('insecure'), 'false')
    assert.equal(defaults.get('brokerId'), undefined)
  })

  test('is documented: docs/operations.md lists every setting with its default', () => {
    const page = readFileSync('docs/operations.md', 'utf8')
    for (const field of configFields()) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${field.path}\` |`))
      assert.ok(row !== undefined, `docs/operations.md does not list ${field.path}.`)
      assert.ok(
        row.includes(field.defaultText ?? ''),
        `docs/operations.md has another default of ${field.path}.`,
      )
    }
  })
})
