import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { ERROR_CODES } from '../../../src/errors.ts'
import { problemSchema } from '../../../src/gateway/http/schemas.ts'
import { problemIndex, problemPage } from '../../../src/gateway/pages/problem-pages.ts'
import { PROBLEMS } from '../../../src/gateway/problem.ts'

const SECTIONS = ['What happened', 'What to do', 'Is it safe to retry?', 'Example']

interface PageJson {
  readonly code: string
  readonly retryable: boolean
  readonly retry: string
  readonly happened: string
  readonly todo: string
  readonly example: {
    readonly request: string
    readonly problem: { readonly code: string; readonly instance: string }
  }
}

describe('the page of a problem', () => {
  for (const code of ERROR_CODES)
    test(`says of ${code} what happened, what to do, whether to retry, and shows one`, () => {
      const forms = problemPage(code)
      for (const section of SECTIONS) {
        assert.ok(forms.html.includes(`<h2>${section}</h2>`), section)
        assert.ok(forms.markdown.includes(`\n## ${section}\n`), section)
      }
      const page = JSON.parse(forms.json) as PageJson
      assert.equal(page.code, code)
      assert.ok(page.happened.length > 30 && page.todo.length > 20)
      assert.equal(page.retry.startsWith('Yes.'), PROBLEMS[code].retryable)
      const problem = problemSchema.parse(page.example.problem)
      assert.equal(problem.code, code)
      assert.match(page.example.request, /^(curl|head) /)
    })

  test('stands in the index, which has no others', () => {
    const { html, markdown, json } = problemIndex()
    const { items } = JSON.parse(json) as { items: { code: string; status: number }[] }
    assert.deepEqual(items.map(({ code }) => code).sort(), [...ERROR_CODES].sort())
    for (const code of ERROR_CODES) {
      assert.ok(html.includes(`href="/problems/${code}"`))
      assert.ok(markdown.includes(`(/problems/${code})`))
    }
  })
})
