import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'

import { ERROR_CODES } from '../../src/errors.ts'
import { createAdmin } from '../../src/gateway/http/admin.ts'
import { openapiYaml } from '../../src/gateway/http/document.ts'
import { OPERATIONS } from '../../src/gateway/http/operations/all.ts'
import { asyncapiDocument, asyncapiYaml } from '../../src/gateway/ws/asyncapi.ts'
import { BINARY_FRAMES, CLIENT_FRAMES, SERVER_FRAMES } from '../../src/gateway/ws/session-frames.ts'
import { openGateway } from '../gateway/support/open-gateway.ts'

interface Operation {
  readonly operationId: string
  readonly requestBody?: { readonly content: Record<string, unknown> }
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>
  readonly components: {
    readonly schemas: Record<
      string,
      { readonly enum?: string[]; readonly oneOf?: unknown; readonly anyOf?: unknown }
    >
  }
}

/** Tests run at the project's root, from the sources' compiled form. */
const checkedIn = readFileSync('openapi/openapi.yaml', 'utf8')
const document = parse(checkedIn) as Document
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

test('the document that is checked in is the one that the code emits', () => {
  assert.equal(checkedIn, openapiYaml(), 'Run `npm run openapi` and look at the difference.')
})

test('the frames that are checked in are those that the code emits', () => {
  const frames = readFileSync('openapi/asyncapi.yaml', 'utf8')
  assert.equal(frames, asyncapiYaml(), 'Run `npm run openapi` and look at the difference.')
})

test('every frame is a message of the one document and a schema of both', () => {
  const frames = asyncapiDocument() as { components: Record<'messages' | 'schemas', Record<string, unknown>> }
  const names = Object.keys({ ...CLIENT_FRAMES, ...SERVER_FRAMES, ...BINARY_FRAMES })
  assert.deepEqual(Object.keys(frames.components.messages).sort(), [...names].sort())
  for (const [name, schema] of Object.entries(frames.components.schemas))
    assert.deepEqual(document.components.schemas[name], JSON.parse(JSON.stringify(schema)), name)
})

test('the codes in the document are the codes in the program', () => {
  assert.deepEqual(
    [...(document.components.schemas['ErrorCode']?.enum ?? [])].sort(),
    [...ERROR_CODES].sort(),
  )
})

test('every operation in the document is one of the server’s, and the other way round', () => {
  const declared = OPERATIONS.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  assert.deepEqual(operations.map(({ method, path }) => `${method} ${path}`).sort(), [...declared].sort())
  const inFramework = createAdmin().routes.map(
    ({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`,
  )
  for (const route of inFramework) assert.ok(declared.includes(route), `${route} is in the document.`)
})

test('the server answers every operation of the document, and no method that is not there', async (t) => {
  const { url, ports } = await openGateway(t)
  ports.log.put(ports.topics.add('orders'), 0, [{ value: 'x' }])
  const fill = (path: string) =>
    path
      .replace('{topic}', 'orders')
      .replace('{partition}', '0')
      .replace('{offset}', '0')
      .replace('{broker}', '1')
  const known = new Set(operations.map(({ method, path }) => `${method} ${path}`))
  for (const path of Object.keys(document.paths)) {
    for (const method of ['GET', 'PUT', 'POST', 'PATCH', 'DELETE']) {
      const query = path.endsWith('/stream') ? '?follow=false' : ''
      const response = await fetch(
        `${url}${fill(path)}${query}`,
        method === 'GET' ? { method } : { method, body: '{}' },
      )
      // Events have no end.
      if (path.endsWith('/events') && response.ok) await response.body?.cancel()
      else await response.arrayBuffer()
      assert.equal(
        response.status !== 405,
        known.has(`${method} ${path}`),
        `${method} ${path} -> ${response.status}`,
      )
      if (method === 'DELETE') ports.log.put(ports.topics.add('orders'), 0, [{ value: 'x' }])
    }
  }
})

test('an operation has one type of body, one type of answer, and no union at a body’s top', () => {
  for (const { operation } of operations) {
    assert.ok(Object.keys(operation.requestBody?.content ?? {}).length <= 1, operation.operationId)
    for (const response of Object.values(operation.responses))
      assert.ok(Object.keys(response.content ?? {}).length <= 1, operation.operationId)
    const problems = Object.entries(operation.responses).filter(([status]) => /^[45]|default/.test(status))
    for (const [status, response] of problems)
      if (!(
        status === '503' &&
        operation.operationId.startsWith('get') &&
        !operation.operationId.includes('Paxos')
      ))
        assert.ok(
          'application/problem+json' in (response.content ?? {}),
          `${operation.operationId} ${status}`,
        )
  }
  for (const [name, schema] of Object.entries(document.components.schemas))
    assert.ok(schema.oneOf === undefined && schema.anyOf === undefined, name)
})

test('the document speaks of nothing that is not there yet', () => {
  assert.ok(!checkedIn.includes('internal/v1'))
})
