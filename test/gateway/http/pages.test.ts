import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'

import { ERROR_CODES } from '../../../src/errors.ts'
import { openGateway } from '../support/open-gateway.ts'

const PAGES = ['/docs', '/problems', ...ERROR_CODES.map((code) => `/problems/${code}`)]

describe('pages for people', () => {
  test('are there for every code, as HTML, text and JSON', async (t) => {
    const { url } = await openGateway(t)
    for (const page of PAGES.slice(1))
      for (const type of ['text/html', 'text/markdown', 'application/json']) {
        const answer = await fetch(url + page, { headers: { accept: type } })
        assert.equal(answer.status, 200, `${page} as ${type}`)
        assert.equal(answer.headers.get('content-type')?.split(';')[0], type)
        assert.match(answer.headers.get('vary') ?? '', /Accept/)
        assert.ok((await answer.text()).length > 100)
      }
  })

  test('let nothing run: the policy allows the one style that is in them', async (t) => {
    const { url } = await openGateway(t)
    for (const page of ['/docs', '/problems', '/problems/no-leader']) {
      const answer = await fetch(url + page, { headers: { accept: 'text/html' } })
      const policy = answer.headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'; style-src 'sha256-/)
      const styles = [...(await answer.text()).matchAll(/<style>([^]*?)<\/style>/g)].map(
        ([, style = '']) => style,
      )
      assert.equal(styles.length, 1)
      assert.ok(
        policy.includes(
          createHash('sha256')
            .update(styles[0] ?? '')
            .digest('base64'),
        ),
      )
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    }
  })

  test('are kept by browsers and asked for again by their tag', async (t) => {
    const { url } = await openGateway(t)
    for (const page of ['/docs', '/problems/no-leader']) {
      const first = await fetch(url + page)
      const tag = first.headers.get('etag') ?? ''
      assert.match(tag, /^"[\w-]{27}"$/)
      assert.equal(first.headers.get('cache-control'), 'max-age=300')
      const again = await fetch(url + page, { headers: { 'if-none-match': tag } })
      assert.equal(again.status, 304)
    }
    const [html, text] = await Promise.all(
      ['text/html', 'text/markdown'].map((accept) =>
        fetch(`${url}/problems/no-leader`, { headers: { accept } }),
      ),
    )
    assert.notEqual(html?.headers.get('etag'), text?.headers.get('etag'))
  })

  test('name a code that may be meant, and refuse what they do not have', async (t) => {
    const { call, refused } = await openGateway(t)
    const { hint } = await refused('not-found', 'GET', '/problems/no-leder')
    assert.equal(hint, 'Did you mean /problems/no-leader?')
    await refused('not-found', 'GET', '/problems/toString')
    await refused('not-acceptable', 'GET', '/problems/no-leader', { headers: { accept: 'image/png' } })
    await refused('unknown-parameter', 'GET', '/docs?x=1')
    const { allow } = await refused('method-not-allowed', 'POST', '/docs')
    assert.deepEqual(allow, ['GET', 'HEAD', 'OPTIONS'])
    assert.equal((await call('OPTIONS', '/problems')).headers.get('allow'), 'GET, HEAD, OPTIONS')
    const head = await call('HEAD', '/docs')
    assert.equal(head.text, '')
    assert.ok(Number(head.headers.get('content-length')) > 10_000)
  })

  test('are what the type of a problem leads to', async (t) => {
    const { url, refused } = await openGateway(t)
    const { type } = await refused('topic-not-found', 'GET', '/v1/topics/nothing')
    const page = await fetch(new URL(String(type), url), { headers: { accept: 'application/json' } })
    assert.equal(((await page.json()) as { code: string }).code, 'topic-not-found')
  })
})
