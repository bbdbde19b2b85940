import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { SynodError } from '../../../src/errors.ts'
import { preferredType } from '../../../src/gateway/pages/accept.ts'

const OFFERED = ['text/markdown', 'text/html', 'application/json'] as const

describe('preferredType', () => {
  test('takes the first offered where anything will do', () => {
    for (const accept of [undefined, '*/*', 'text/*', 'text/html;q=0.5, */*'])
      assert.equal(preferredType(accept, OFFERED), 'text/markdown', accept)
  })

  test('gives a browser HTML and a program JSON', () => {
    const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8'
    assert.equal(preferredType(browser, OFFERED), 'text/html')
    assert.equal(preferredType('application/json', OFFERED), 'application/json')
    assert.equal(preferredType('application/*;q=0.9, Text/HTML;Q=0.2', OFFERED), 'application/json')
  })

  test('refuses what is not offered, or is offered and not wanted', () => {
    for (const accept of ['image/png', '', 'text/html;q=0', 'text/*;q=x', '*/*;q=7'])
      assert.throws(
        () => preferredType(accept, OFFERED),
        (error) =>
          error instanceof SynodError &&
          error.code === 'not-acceptable' &&
          /text\/html/.test(error.hint ?? ''),
        accept,
      )
  })
})
