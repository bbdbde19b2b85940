import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { parse } from 'yaml'
import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call, json } from '../system/api.ts'

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly schema: { readonly example?: string | number }
}

interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Record<string, Body> }
  readonly responses: Record<string, unknown>
}

interface Body {
  readonly example?: unknown
  readonly schema: { readonly example?: unknown }
}

const document = parse(readFileSync('openapi/openapi.yaml', 'utf8')) as {
  readonly paths: Record<string, Record<string, Operation>>
}
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

/** What a reader of the document cannot know before: examples that stand for what an earlier answer said. */
interface Known {
  /** The topic's ETag, for If-Match. */
  readonly etag: string
  readonly operation: string
}

/** Where the answer to an example is another than 2xx, and why. */
const REFUSED: Readonly<Record<string, number>> = {
  // It is done by the time.
  cancelOperation: 409,
}

/** Others build on these: a leader is one of the replicas. */
const FIRST = ['createTopic', 'moveReplicas']
/** Those that take something away. */
const LAST = ['drainBroker', 'undrainBroker', 'removeBroker', 'deleteTopic']

/** The request of an operation with every example that the document has for it. */
function requestOf(method: string, path: string, operation: Operation, known: Known) {
  let address = path
  const query = new URLSearchParams()
  const headers: Record<string, string> = {}
  for (const { name, in: place, schema } of operation.parameters ?? []) {
    const { example } = schema
    if (place === 'path')
      assert.notEqual(example, undefined, `${operation.operationId} has no example for ${name}`)
    if (example === undefined) continue
    const value = name === 'if-match' ? known.etag : name === 'operation' ? known.operation : `${example}`
    if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(value))
    else if (place === 'query') query.set(name, value)
    else headers[name] = value
  }
  const [content] = Object.entries(operation.requestBody?.content ?? {})
  if (content === undefined) return { address: `${address}?${query.toString()}`, init: { method, headers } }
  const [type, { example, schema }] = content
  const body = example ?? schema.example
  assert.notEqual(body, undefined, `${operation.operationId} has no example of a body`)
  headers['content-type'] = type
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { address: `${address}?${query.toString()}`, init: { method, headers, body: text } }
}

test('every operation does what it says with the examples of the document', async (t) => {
  // One more than a topic has replicas, so that the broker of the examples can be spared.
  const { broker } = await startDev(t, { brokers: 4 })
  const { url } = broker('4')
  let operation = 'op1'

  const ordered = operations.toSorted((one, other) => rankOf(one.operation) - rankOf(other.operation))
  for (const { method, path, operation: described } of ordered) {
    const { operationId, responses } = described
    const etag = (await call(url, '/v1/topics/orders')).headers.get('etag') ?? ''
    const { address, init } = requestOf(method, path, described, { etag, operation })
    if (operationId === 'subscribeTopic' || operationId === 'openSession') {
      await opens(`${url.replace('http', 'ws')}${address}`, init.headers)
      continue
    }
    const response = await fetch(`${url}${address}`, { ...init, signal: AbortSignal.timeout(30_000) })
    const isEndless = operationId === 'streamTopic' || operationId === 'followEvents'
    const text = isEndless ? await firstPiece(response) : await response.text()
    const what = `${method} ${address} -> ${response.status} ${text.slice(0, 300)}`
    assert.ok(String(response.status) in responses, what)
    assert.equal(response.ok ? undefined : response.status, REFUSED[operationId], what)
    if (operationId === 'createTopic') await fill(url)
    const started = /op\d+$/.exec(response.headers.get('location') ?? '')
    if (started === null) continue
    operation = started[0]
    await eventually(
      async () => assert.notEqual((await call(url, `/v1/operations/${operation}`)).body['state'], 'running'),
      { timeoutMs: 20_000 },
    )
  }
})

test('a session does what it says with the examples of the frames', async (t) => {
  const { messages } = parse(readFileSync('openapi/asyncapi.yaml', 'utf8')).components as {
    messages: Record<string, { readonly examples?: readonly { payload: object }[] }>
  }
  const { brokers } = await startDev(t)
  const { url } = brokers()[0]!
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/ws`, 'synod.v1.json')
  const frames: { type: string; id?: string }[] = []
  socket.on('message', (data: Buffer) => void frames.push(JSON.parse(data.toString()) as { type: string }))
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  assert.equal((await call(url, '/v1/topics/orders', { method: 'PUT' })).status, 201)
  const heard = new Set<object>()
  /** Waits for another such frame; records may come before the word that they are stored. */
  const hear = (type: string) =>
    eventually(() => {
      const frame = frames.find((each) => each.type === type && !heard.has(each))
      assert.ok(frame !== undefined, `${type} in ${JSON.stringify(frames)}`)
      heard.add(frame)
    })
  const answers = {
    subscribe: 'subscribed',
    produce: 'produced',
    credit: 'records',
    ping: 'pong',
    seek: 'subscribed',
    unsubscribe: 'end',
  }
  for (const [name, answer] of Object.entries(answers)) {
    socket.send(JSON.stringify(messages[name]?.examples?.[0]?.payload))
    await hear(answer)
  }
  assert.deepEqual(
    frames.filter(({ type }) => type === 'error'),
    [],
  )
  assert.deepEqual(
    frames.filter(({ type }) => type === 'subscribed').map(({ id }) => id),
    ['1', '4'],
  )
  socket.terminate()
})

function rankOf({ operationId }: Operation): number {
  const place = FIRST.indexOf(operationId)
  return place === -1 ? LAST.indexOf(operationId) : place - FIRST.length - 1
}

/** As much as the examples speak of: more than 100 records in partition 0. */
async function fill(url: string): Promise<void> {
  const records = Array.from({ length: 120 }, (_, at) => ({ partition: 0, text: `order ${at}` }))
  assert.equal((await call(url, '/v1/topics/orders/batches', json('POST', { records }))).status, 201)
}

async function firstPiece(response: Response): Promise<string> {
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return Buffer.from(value ?? []).toString()
}

async function opens(address: string, headers: Record<string, string>): Promise<void> {
  const socket = new WebSocket(address, { headers })
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
  socket.terminate()
}
