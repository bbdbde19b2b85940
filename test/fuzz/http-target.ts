import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Topic } from '../../src/types/topic.ts'
import { openGateway, rawConnection, type Answer, type OpenGateway } from '../gateway/support/open-gateway.ts'
import type { Random } from '../sim/random.ts'
import { ByteSource } from './byte-source.ts'
import { looseJson, spoilJson } from './json-source.ts'
import { asTestContext, type FuzzTarget, type Scope } from './target.ts'

const PATHS = [
  '/v1/topics/t/records',
  '/v1/topics/t/batches',
  '/v1/topics/one/records',
  '/v1/topics/one/batches',
]
const JSON_TYPE = 'application/json'
/** Small, so that the bounds are met. */
const RECORD_BYTES_MAX = 2_000
const REQUEST_BYTES_MAX = 20_000

/** A gateway over fakes, and a count of everything that a request could have changed in it. */
class FuzzedGateway {
  readonly open: OpenGateway
  readonly #topics: readonly Topic[]

  constructor(open: OpenGateway) {
    this.open = open
    this.#topics = [open.ports.topics.add('t', 3), open.ports.topics.add('one')]
  }

  static async start(scope: Scope): Promise<FuzzedGateway> {
    const bounds = { recordBytesMax: RECORD_BYTES_MAX, requestBytesMax: REQUEST_BYTES_MAX }
    return new FuzzedGateway(await openGateway(asTestContext(scope), bounds))
  }

  get recordCount(): number {
    const { log } = this.open.ports
    let count = 0
    for (const topic of this.#topics)
      for (const { partition } of topic.partitions) count += log.partition(topic, partition).highWatermark
    return count
  }

  get topicCount(): number {
    return this.open.ports.topics.list({ prefix: '', after: '', limit: 100 }).length
  }

  /** Sends it, and checks the answer against what changed. `call` has checked that the document promises such an answer. */
  async send(path: string, headers: Record<string, string>, body: string | Uint8Array): Promise<Answer> {
    const before = this.recordCount
    const answer = await this.open.call('POST', path, { headers, body })
    const { logged } = this.open
    assert.deepEqual(logged, [], `An error of the inside: ${JSON.stringify(logged)}`)
    assert.ok(answer.status < 500, `${path} answers ${answer.text}`)
    const stored = this.recordCount - before
    assert.equal(this.topicCount, this.#topics.length, 'No topic comes or goes.')
    this.open.ports.log.appends.length = 0
    const { sideEffects } = answer.json() as { sideEffects?: string }
    if (sideEffects === 'none') assert.equal(stored, 0, `Refused, and ${stored} records are stored.`)
    else assert.equal(stored, storedBy(answer), `${answer.text} for ${stored} stored records.`)
    return answer
  }
}

/** Records that an answer says are new. One about several partitions may be a problem and tell of both. */
function storedBy(answer: Answer): number {
  const body = answer.json() as { duplicate?: boolean; results?: readonly { duplicate?: boolean }[] }
  return (body.results ?? [body]).filter(({ duplicate }) => duplicate === false).length
}

function drawHeaders(random: Random): Record<string, string> {
  const headers: Record<string, string> = {}
  const text = (): string => {
    const letters = Array.from({ length: random.integer(12) }, () =>
      String.fromCharCode(random.chance(0.9) ? 33 + random.integer(94) : 160 + random.integer(96)),
    )
    return letters.join('')
  }
  const number = (): string =>
    random.pick(['0', '1', '-1', '01', '1.5', '9007199254740993', '4294967296', '', 'x', '1e3'])
  const choices: readonly (() => void)[] = [
    () =>
      (headers['Content-Type'] = random.pick([
        JSON_TYPE,
        'text/plain',
        'application/x+json; a=b',
        '',
        'nonsense',
        text(),
      ])),
    () => (headers['Idempotency-Key'] = random.chance(0.5) ? `k${random.integer(5)}` : text()),
    () => {
      headers['Producer-Id'] = random.chance(0.7) ? `p${random.integer(3)}` : text()
      headers['Producer-Epoch'] = number()
      headers['Producer-Seq'] = number()
    },
    () => (headers['Expected-Offset'] = number()),
    () => (headers[`Record-Header-${random.pick(['A', 'trace-id', 'x'.repeat(300)])}`] = text()),
    () =>
      (headers['Record-Timestamp'] = random.pick(['2026-01-31T12:00:00Z', '2026-02-30T00:00:00Z', text()])),
  ]
  for (let count = random.integer(4); count > 0; count--) random.pick(choices)()
  return headers
}

function drawQuery(random: Random): string {
  const names = ['partition', 'key', 'acks', 'partitions', '', 'PARTITION', 'key%00', '%zz']
  const values = [
    '0',
    '2',
    '99',
    '-1',
    'all',
    'majority',
    'leader',
    '%E2%82%AC',
    '%ff',
    '%',
    '',
    'a'.repeat(2_000),
  ]
  const count = random.integer(3)
  const pairs = Array.from({ length: count }, () => `${random.pick(names)}=${random.pick(values)}`)
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

function drawRecord(random: Random): Record<string, unknown> {
  const value = random.pick<Record<string, unknown>>([
    { text: 'hello' },
    { value: { a: [1, 2.5, null, 'x'] } },
    { value: 12_345 },
    { base64: 'AAEC' },
    {},
  ])
  return {
    ...value,
    ...(random.chance(0.3) ? { key: `k${random.integer(3)}` } : {}),
    ...(random.chance(0.2) ? { partition: random.integer(3) } : {}),
    ...(random.chance(0.2) ? { headers: { trace: 'abc' } } : {}),
    ...(random.chance(0.2) ? { timestamp: '2026-01-31T12:00:00.5+01:00' } : {}),
  }
}

/** A batch that could be meant, changed in its structure, then now and then in its bytes. */
function drawBatch(source: ByteSource): Uint8Array {
  const { random } = source
  const count = random.chance(0.02) ? 1_001 : 1 + random.integer(4)
  const batch = { records: Array.from({ length: count }, () => drawRecord(random)) }
  if (random.chance(0.03)) return Buffer.from('['.repeat(1 + random.integer(9_000)))
  const json = random.chance(0.8) ? spoilJson(batch, random) : batch
  const bytes = Buffer.from(looseJson(json, random))
  return random.chance(0.3) ? source.spoil(bytes) : bytes
}

/** Bodies of produce requests: an answer that the document knows, and nothing stored by a refused one. */
export const produceTarget: FuzzTarget = {
  name: 'produce requests with odd bodies, headers and queries',
  boundedCases: 800,
  async run({ cases, seed, scope }) {
    const gateway = await FuzzedGateway.start(scope)
    let acceptedCount = 0
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.nat()), async (draw) => {
        const source = new ByteSource(draw)
        const { random } = source
        const path = random.pick(PATHS)
        const isBatch = path.endsWith('batches')
        const headers = random.chance(0.5) ? drawHeaders(random) : {}
        if (isBatch && random.chance(0.9)) headers['Content-Type'] = JSON_TYPE
        const isNoise = !isBatch || random.chance(0.1)
        const body = isNoise ? source.bytes(source.length(REQUEST_BYTES_MAX * 1.1)) : drawBatch(source)
        const { status } = await gateway.send(
          path + (random.chance(0.3) ? drawQuery(random) : ''),
          headers,
          body,
        )
        if (status < 400) acceptedCount++
      }),
      { numRuns: cases, seed },
    )
    assert.ok(acceptedCount > cases / 20, `Only ${acceptedCount} of ${cases} requests were accepted.`)
    assert.ok(acceptedCount < cases * 0.8, `All but ${cases - acceptedCount} requests were accepted.`)
  },
}

/** Where each request is what a client could have sent, before something happens to its bytes. */
function drawRequest(source: ByteSource): Buffer {
  const { random } = source
  const body = Buffer.from(drawBatch(source))
  const isChunked = random.chance(0.3)
  const head = [
    `POST ${random.pick(PATHS)} HTTP/1.1`,
    'Host: x',
    `Content-Type: ${JSON_TYPE}`,
    isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`,
    '',
    '',
  ].join('\r\n')
  const framed = isChunked ? [`${body.length.toString(16)}\r\n`, body, '\r\n0\r\n\r\n'] : [body]
  return Buffer.concat([head, ...framed].map((part) => Buffer.from(part)))
}

/** Requests of which bytes are changed, cut or missing: the broker answers or hangs up, and lives. */
export const rawHttpTarget: FuzzTarget = {
  name: 'HTTP requests with changed bytes',
  boundedCases: 250,
  async run({ cases, seed, scope }) {
    const gateway = await FuzzedGateway.start(scope)
    const { open } = gateway
    await fc.assert(
      fc.asyncProperty(fc.noBias(fc.nat()), async (draw) => {
        const source = new ByteSource(draw)
        const cleanups: (() => void)[] = []
        const own = { after: (run: () => void) => void cleanups.push(run) } as unknown as Scope
        const before = gateway.recordCount
        const connection = await rawConnection(asTestContext(own), open.port)
        for (const piece of source.pieces(source.spoil(drawRequest(source)))) connection.socket.write(piece)
        connection.socket.end()
        await connection.closed
        for (const cleanup of cleanups) cleanup()
        const text = connection.received()
        const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
        assert.ok(text === '' || text.startsWith('HTTP/1.1 '), text.slice(0, 200))
        assert.ok(
          statuses.every((status) => status < 500),
          text,
        )
        if (statuses.every((status) => status >= 400)) assert.equal(gateway.recordCount, before, text)
        assert.deepEqual(open.logged, [], JSON.stringify(open.logged))
      }),
      { numRuns: cases, seed },
    )
    assert.equal((await open.call('GET', '/livez')).status, 200)
  },
}
