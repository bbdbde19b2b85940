import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isOriginAllowed } from '../../../src/gateway/http/origin.ts'

const none = { allowed: [], publicUrl: undefined }

test('a listed origin is allowed as it is written and in no other form', () => {
  const rules = { allowed: ['https://app.example'], publicUrl: undefined }
  assert.ok(isOriginAllowed('https://app.example', 'synod.example', rules))
  for (const origin of [
    'https://app.example/',
    'https://APP.example',
    'http://app.example',
    'https://app.example:444',
    'https://x@app.example',
  ])
    assert.ok(!isOriginAllowed(origin, 'synod.example', rules), origin)
})

test('an origin is its own by address, as localhost or by the public URL, never by another name that points here', () => {
  assert.ok(isOriginAllowed('http://127.0.0.1:8080', '127.0.0.1:8080', none))
  assert.ok(isOriginAllowed('http://localhost:8080', 'localhost:8080', none))
  assert.ok(isOriginAllowed('http://[::1]:8080', '[::1]:8080', none))
  assert.ok(isOriginAllowed('http://192.0.2.7', '192.0.2.7:80', none))
  assert.ok(!isOriginAllowed('http://localhost:8081', 'localhost:8080', none))
  assert.ok(!isOriginAllowed('http://rebound.example:8080', 'rebound.example:8080', none))
  assert.ok(!isOriginAllowed('http://localhost:8080', undefined, none))
  const named = { allowed: [], publicUrl: 'https://synod.example/' }
  assert.ok(isOriginAllowed('https://synod.example', 'synod.example', named))
  assert.ok(!isOriginAllowed('https://other.example', 'other.example', named))
})

test('what is no origin of a page is not allowed, even where every local one is', () => {
  const rules = { allowed: ['loopback'], publicUrl: undefined }
  assert.ok(isOriginAllowed('http://localhost:5173', '127.0.0.1:8080', rules))
  for (const origin of [
    'null',
    '',
    'localhost',
    'file://',
    'ftp://localhost',
    'http://localhost.example',
    'http://localhost@evil.example',
    'chrome-extension://abc',
  ])
    assert.ok(!isOriginAllowed(origin, '127.0.0.1:8080', rules), origin)
})
