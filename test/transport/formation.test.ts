import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { test } from 'node:test'
import { SynodError } from '../../src/errors.ts'
import { askHello, FORM_PATH, HELLO_PATH, tellFormation } from '../../src/transport/formation.ts'
import { freshNonce, HEADER, prove } from '../../src/transport/handshake.ts'
import { PeerUnreachable, type Formation, type Hello } from '../../src/transport/transport.ts'
import { brokerId } from '../../src/types/ids.ts'
import { startBroker, TEST_SECRET } from '../support/http-cluster.ts'

const STORE = 'ab'.repeat(16)
const HELLO: Hello = { brokerId: brokerId(1), storeId: STORE, clusterId: '', empty: true }
const FORMATION: Formation = { clusterId: 'c1', voters: [{ broker: brokerId(1), store: STORE }] }
const ASKER = { self: brokerId(2), secret: TEST_SECRET, timeoutMs: 2_000 }

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: string
}

function post(port: number, path: string, headers: Record<string, string>, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port, path, method: 'POST', headers, agent: false },
      (response) => {
        let text = ''
        response.on('data', (chunk: Buffer) => (text += chunk.toString()))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

test('a seed says who it is and takes a formation', async (t) => {
  const one = await startBroker(t, 1, { clusterId: () => '' })
  one.handlers.hello = HELLO
  const address = { host: '127.0.0.1', port: one.transport.port }
  assert.deepEqual(await askHello(address, ASKER), HELLO)
  const member = { ...HELLO, clusterId: 'cluster', empty: false, controllers: FORMATION.voters }
  one.handlers.hello = member
  assert.deepEqual(await askHello(address, ASKER), member)
  await tellFormation(address, FORMATION, ASKER)
  assert.deepEqual(one.handlers.formations, [FORMATION])
})

test('a refusal of a formation comes back as the error it is', async (t) => {
  const one = await startBroker(t, 1)
  one.handlers.hello = { ...HELLO, clusterId: 'c0', empty: false }
  one.handlers.onFormDo = () =>
    Promise.reject(new SynodError('invalid-config', 'This store is in cluster c0.'))
  const address = { host: '127.0.0.1', port: one.transport.port }
  await assert.rejects(tellFormation(address, FORMATION, ASKER), (error) => {
    return error instanceof SynodError && error.code === 'invalid-config' && /c0/.test(error.message)
  })
})

test('another secret gets no hello, and says so', async (t) => {
  const one = await startBroker(t, 1)
  one.handlers.hello = HELLO
  const address = { host: '127.0.0.1', port: one.transport.port }
  await assert.rejects(askHello(address, { ...ASKER, secret: randomBytes(32) }), /another cluster secret/)
  await assert.rejects(
    tellFormation(address, FORMATION, { ...ASKER, secret: undefined }),
    /another cluster secret/,
  )
  assert.deepEqual(one.handlers.formations, [])
  assert.equal(one.transport.counters().authenticationFailures, 2)
})

test('a seed that is not there is unreachable', async (t) => {
  const one = await startBroker(t, 1)
  const { port } = one.transport
  await one.transport.stop()
  await assert.rejects(askHello({ host: '127.0.0.1', port }, ASKER), PeerUnreachable)
})

test('a formation cannot be told a second time with the same proof, nor without a challenge', async (t) => {
  const one = await startBroker(t, 1)
  one.handlers.hello = HELLO
  const { port } = one.transport
  const nonce = freshNonce()
  const hello = await post(port, HELLO_PATH, {
    [HEADER.FROM]: '2',
    [HEADER.NONCE]: nonce,
    [HEADER.PROOF]: prove(TEST_SECRET, 'hello', [2, nonce]),
  })
  const tell = (challenge: string, body = JSON.stringify(FORMATION)): Promise<Answer> =>
    post(
      port,
      FORM_PATH,
      {
        [HEADER.FROM]: '2',
        [HEADER.NONCE]: nonce,
        [HEADER.CHALLENGE]: challenge,
        [HEADER.PROOF]: prove(TEST_SECRET, 'form', [2, nonce, challenge, body]),
      },
      body,
    )
  const challenge = String(hello.headers[HEADER.CHALLENGE])
  assert.equal((await tell(challenge)).status, 200)
  assert.equal((await tell(challenge)).status, 401)
  assert.equal((await tell(freshNonce())).status, 401)
  assert.equal(one.handlers.formations.length, 1)
})

test('a formation that is none is refused with a sentence', async (t) => {
  const one = await startBroker(t, 1)
  one.handlers.hello = HELLO
  const address = { host: '127.0.0.1', port: one.transport.port }
  const wrong = { ...FORMATION, voters: [] }
  await assert.rejects(tellFormation(address, wrong, ASKER), /list of 1 to 7 replicas/)
  assert.deepEqual(one.handlers.formations, [])
})
