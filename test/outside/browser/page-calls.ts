import assert from 'node:assert/strict'
import type { ChaosCluster } from '../../chaos/chaos-cluster.ts'
import { call, json } from '../../system/api.ts'
import type { Browser } from './chromium.ts'

/** What a page without any client does: fetch with headers that need a preflight, and sockets with credit. */
const CALLS = `(async (url) => {
  const topic = url + '/v1/topics/pages'
  const created = await fetch(topic, { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{"partitions":1}' })
  const stored = []
  for (const text of ['one', 'two', 'three', 'four']) {
    const answer = await fetch(topic + '/records?key=' + text, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'record-header-colour': 'red', 'idempotency-key': '"' + text + '"' },
      body: text,
    })
    stored.push([answer.status, answer.headers.get('synod-broker') !== null, (await answer.json()).offset])
  }
  const raw = await fetch(topic + '/partitions/0/records/1')
  const value = [await raw.text(), raw.headers.get('record-key'), raw.headers.get('record-offset'), raw.headers.get('record-header-colour')]
  const refused = await fetch(topic + '/partitions/0/records/99')
  const problem = [refused.status, (await refused.json()).code]

  const simple = await new Promise((resolve, reject) => {
    const socket = new WebSocket(topic.replace('http', 'ws') + '/subscribe?from=earliest')
    const texts = []
    socket.onerror = () => reject(new Error('The socket failed.'))
    socket.onmessage = ({ data }) => {
      texts.push(JSON.parse(data).text)
      if (texts.length === 4) socket.close()
    }
    socket.onclose = () => resolve(texts)
  })

  const session = await new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http', 'ws') + '/v1/ws', 'synod.v1.json')
    const said = []
    const send = (frame) => socket.send(JSON.stringify(frame))
    socket.onerror = () => reject(new Error('The session failed.'))
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data)
      if (frame.type === 'welcome')
        send({ type: 'subscribe', id: 'a', sid: 's', topic: 'pages', from: 'earliest', credit: { records: 2, bytes: 1000000 } })
      if (frame.type === 'records') said.push(...frame.records.map((record) => record.text))
      // A pong comes behind all that the credit allowed.
      if (frame.type === 'records' && said.length === 2) send({ type: 'ping' })
      if (frame.type === 'pong') {
        said.push('pong')
        send({ type: 'credit', sid: 's', records: 2, bytes: 1000000 })
      }
      if (said.length === 5) socket.close(1000)
    }
    socket.onclose = ({ code }) => resolve([...said, code])
  })
  return { created: created.status, stored, value, problem, simple, session }
})`

/** A session of the binary form: bytes that are no UTF-8 go there and come back, the second record for credit given later. */
const BINARY_SESSION = `((url) => new Promise((resolve, reject) => {
  const socket = new WebSocket(url.replace('http', 'ws') + '/v1/ws', 'synod.v1.bin')
  socket.binaryType = 'arraybuffer'
  const said = []
  const send = (frame, ...values) => {
    const header = new TextEncoder().encode(JSON.stringify(frame))
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, header.length)
    socket.send(new Blob([length, header, ...values]))
  }
  socket.onerror = () => reject(new Error('The binary session failed.'))
  socket.onmessage = ({ data }) => {
    const end = 4 + new DataView(data).getUint32(0)
    const frame = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, end - 4)))
    if (frame.type === 'welcome')
      send(
        { type: 'produce', id: 'p', topic: 'bytes', records: [{ size: 3 }, { size: 2 }] },
        Uint8Array.of(255, 0, 10),
        Uint8Array.of(254, 13),
      )
    if (frame.type === 'produced')
      send({ type: 'subscribe', id: 'a', sid: 's', topic: 'bytes', from: 'earliest', credit: { records: 1, bytes: 1000 } })
    if (frame.type === 'records') {
      said.push(frame.records.map(({ form, size }) => [form, size]), Array.from(new Uint8Array(data, end)))
      if (said.length === 2) send({ type: 'ping' })
      else socket.close(1000)
    }
    if (frame.type === 'pong') {
      said.push('pong')
      send({ type: 'credit', sid: 's', records: 1, bytes: 1000 })
    }
    if (frame.type === 'error') reject(new Error(JSON.stringify(frame)))
  }
  socket.onclose = ({ code }) => resolve([socket.protocol, ...said, code])
}))`

export async function speakFromPage(
  browser: Browser,
  pageUrl: string,
  cluster: ChaosCluster,
): Promise<string> {
  const page = await browser.newPage()
  try {
    await page.goto(pageUrl)
    const said = await page.evaluate<unknown>(`${CALLS}(${JSON.stringify(cluster.urls[0])})`)
    assert.deepEqual(said, {
      created: 201,
      stored: [0, 1, 2, 3].map((offset) => [201, true, offset]),
      value: ['two', 'two', '1', 'red'],
      problem: [416, 'offset-out-of-range'],
      simple: ['one', 'two', 'three', 'four'],
      session: ['one', 'two', 'pong', 'three', 'four', 1000],
    })
    const made = await call(cluster.urls[0]!, '/v1/topics/bytes', json('PUT', { partitions: 1 }))
    assert.equal(made.status, 201)
    const bytes = await page.evaluate<unknown>(`${BINARY_SESSION}(${JSON.stringify(cluster.urls[0])})`)
    assert.deepEqual(bytes, [
      'synod.v1.bin',
      [['bytes', 3]],
      [255, 0, 10],
      'pong',
      [['bytes', 2]],
      [254, 13],
      1000,
    ])
    return 'a preflight, headers of answers, problems, a subscription, sessions of both forms with credit'
  } finally {
    await page.close()
  }
}
