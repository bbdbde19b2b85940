import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { subscribe } from '../../clients/typescript/src/client.ts'
import { CLOSE_CODE } from '../../src/gateway/ws/close-code.ts'

const RECORD = { topic: 't', partition: 0, offset: 0, timestamp: '2026-01-31T12:00:00.000Z' }
/** What a subscription of a session begins with: each a header, and the values behind it. */
const FRAMES = [
  [{ type: 'subscribed', id: 'a', sid: 'a', epoch: 0, positions: [{ partition: 0, nextOffset: 0 }], cursor: 'c' }, ''],
  [{ type: 'records', sid: 'a', epoch: 0, records: [{ ...RECORD, form: 'text', size: 5 }], cursor: 'd' }, 'first'],
] as const

function message([header, values]: (typeof FRAMES)[number]): Buffer {
  const text = JSON.stringify(header)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text), Buffer.from(values)])
}

/** A broker whose first socket is closed with `code` before any record came, and whose others bring one. */
async function startClosing(t: TestContext, code: number): Promise<{ readonly url: string; count: number }> {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'application/json')
    response.end(
      JSON.stringify({ name: 't', id: '7', partitions: [{ partition: 0, logStart: 0, highWatermark: 1 }] }),
    )
  })
  const webSockets = new WebSocketServer({ server })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const client of webSockets.clients) client.terminate()
    server.closeAllConnections()
    server.close()
  })
  const broker = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: 0 }
  webSockets.on('connection', (socket) => {
    if (broker.count++ === 0) socket.close(code, 'a reason')
    else for (const frame of FRAMES) socket.send(message(frame))
  })
  return broker
}

async function firstOf(url: string): Promise<string | undefined> {
  for await (const record of subscribe({ urls: url, topic: 't', WebSocket })) return record.text
  return undefined
}

for (const [name, code] of Object.entries(CLOSE_CODE)) {
  const isFinal = code >= 4_500
  test(`a subscription ${isFinal ? 'ends' : 'goes on'} when it is closed with ${code} (${name})`, async (t) => {
    const broker = await startClosing(t, code)
    if (isFinal) {
      await assert.rejects(firstOf(broker.url), new RegExp(`${code} a reason`))
      assert.equal(broker.count, 1)
    } else {
      assert.equal(await firstOf(broker.url), 'first')
      assert.equal(broker.count, 2)
    }
  })
}
