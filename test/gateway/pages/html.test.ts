import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { html, prose } from '../../../src/gateway/pages/html.ts'

describe('html', () => {
  test('escapes what is put in, in texts and in attributes, and HTML only once', () => {
    const link = html`<a href="${'"><script>'}">${'a & b'}</a>`
    assert.equal(link.html, '<a href="&quot;&gt;&lt;script&gt;">a &amp; b</a>')
    assert.equal(html`<p>${[link, link]}${7}</p>`.html, `<p>${link.html}${link.html}7</p>`)
  })

  test('shows what stands in backticks as code', () => {
    assert.equal(prose('Send `<x>` again.').html, 'Send <code>&lt;x&gt;</code> again.')
  })
})
