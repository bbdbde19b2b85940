import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { openapiDocument } from '../../../src/gateway/http/document.ts'
import { isErrorCode } from '../../../src/gateway/pages/problem-pages.ts'
import { referencePage } from '../../../src/gateway/pages/reference.ts'
import type { ApiDocument } from '../../../src/gateway/pages/reference.ts'

const document = openapiDocument() as ApiDocument
const page = referencePage(document)

function hrefs(): readonly string[] {
  return [...page.matchAll(/href="([^"]*)"/g)].map(([, href = '']) => href)
}

describe('the API reference', () => {
  test('has every operation, parameter and schema of the document', () => {
    let count = 0
    for (const methods of Object.values(document.paths))
      for (const { operationId, parameters = [] } of Object.values(methods)) {
        count++
        const [, details = ''] =
          new RegExp(`<details id="${operationId}">(.*?)</details>`, 's').exec(page) ?? []
        assert.ok(details !== '', `${operationId} is missing.`)
        for (const { name } of parameters)
          assert.ok(details.includes(`<code>${name}</code>`), `${operationId}: ${name}`)
      }
    assert.ok(count > 30)
    const schemas = Object.keys(document.components?.schemas ?? {})
    assert.ok(schemas.length > 20)
    for (const name of schemas) assert.ok(page.includes(`<h3 id="schema-${name}">`), name)
  })

  test('leads nowhere but to itself and to pages of the same broker that are there', () => {
    for (const href of hrefs()) {
      if (href.startsWith('#')) assert.ok(page.includes(`id="${href.slice(1)}"`), href)
      else if (href.startsWith('/problems/')) assert.ok(isErrorCode(href.slice('/problems/'.length)), href)
      else assert.ok(['/docs', '/problems', '/openapi.yaml'].includes(href), href)
    }
    assert.ok(hrefs().length > 100)
  })

  test('runs nothing and fetches nothing', () => {
    assert.doesNotMatch(page, /<(script|link|img|iframe|object|form)\b|\bon\w+="|\bsrc=|@import|url\(/i)
  })

  test('shows each operation as a line that can be tried', () => {
    assert.match(page, /curl &#39;|curl '/)
    assert.ok(page.includes("curl 'http://localhost:8080/v1/topics/orders/partitions/0/records'"))
    assert.ok(page.includes("curl -X PUT -H 'Content-Type: application/json' --data-binary @body"))
  })
})
