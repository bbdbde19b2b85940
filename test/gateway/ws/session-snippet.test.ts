import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runInThisContext } from 'node:vm'
import { WebSocket } from 'ws'
import { eventually } from '../../support/eventually.ts'
import { PLENTY } from './session-client.ts'
import { startSubscribeServer } from './subscribe-server.ts'

interface Snippet {
  readonly socket: WebSocket
  send(frame: unknown, ...values: readonly Uint8Array[]): void
}

test('the code of docs/sessions.md speaks the binary form', async (t) => {
  const server = await startSubscribeServer(t)
  server.ports.topics.add('t')
  const text = readFileSync(new URL('../../../../docs/sessions.md', import.meta.url), 'utf8')
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(text) ?? []
  const local = code.replace('localhost:8080', `127.0.0.1:${server.port}`)
  assert.notEqual(local, code)
  const run = runInThisContext(`(function (WebSocket, console) {${local}; return { socket, send } })`) as (
    webSocket: typeof WebSocket,
    console: { readonly log: (frame: unknown) => void },
  ) => Snippet
  const frames: { type: string; records?: { value?: Uint8Array }[] }[] = []
  const { socket, send } = run(WebSocket, {
    log: (frame) => void frames.push(frame as (typeof frames)[number]),
  })
  t.after(() => socket.terminate())
  await eventually(() => assert.equal(frames[0]?.type, 'welcome'))
  const value = Buffer.from([0, 255, 7])
  send({ type: 'produce', id: 'p', topic: 't', records: [{ size: 3 }, {}, { size: 3 }] }, value, value)
  await eventually(() => assert.equal(frames.at(-1)?.type, 'produced'))
  send({ type: 'subscribe', id: 's', sid: 'a', topic: 't', from: 'earliest', credit: PLENTY })
  await eventually(() => {
    const records = frames.flatMap((frame) => frame.records ?? [])
    assert.deepEqual(
      records.map((record) => record.value && Buffer.from(record.value)),
      [value, undefined, value],
    )
  })
})
