import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { DevBroker, DevCluster } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { call } from './api.ts'

/** What a process holds. Files that LevelDB has mapped are not counted: the system takes those back when it likes. */
export interface Footprint {
  readonly memoryMiB: number
  readonly descriptorCount: number
}

/** Memory that only this process can give back is far below this, whatever clients did. */
const MEMORY_MIB_MAX = 700

/** Undefined where the system has no /proc to read it from. */
export function footprintOf({ pid }: Pick<DevBroker, 'pid'>): Footprint | undefined {
  if (!existsSync(`/proc/${pid}/status`)) return undefined
  const anonymous = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (anonymous === undefined) return undefined
  return {
    memoryMiB: Math.round(Number(anonymous) / 1024),
    descriptorCount: readdirSync(`/proc/${pid}/fd`).length,
  }
}

/** A line for the test's report. */
export function footprintsOf(brokers: readonly DevBroker[]): string {
  return brokers
    .map((broker) => {
      const footprint = footprintOf(broker)
      return footprint === undefined
        ? `${broker.id}: ?`
        : `${broker.id}: ${footprint.memoryMiB} MiB, ${footprint.descriptorCount} descriptors`
    })
    .join('; ')
}

/** All brokers are the processes that they were, ready, of a sane size, and have nothing bad to say in their logs. */
export async function assertUnharmed(cluster: DevCluster, before: readonly DevBroker[]): Promise<void> {
  assert.deepEqual(
    cluster.brokers().map(({ id, pid }) => ({ id, pid })),
    before.map(({ id, pid }) => ({ id, pid })),
    'no broker was started again',
  )
  for (const broker of before) {
    await eventually(async () => assert.equal((await call(broker.url, '/readyz')).status, 200))
    const footprint = footprintOf(broker)
    if (footprint !== undefined) {
      assert.ok(footprint.memoryMiB < MEMORY_MIB_MAX, `broker ${broker.id} holds ${footprint.memoryMiB} MiB`)
    }
    assertQuietLog(readFileSync(join(cluster.folder, `broker-${broker.id}.log`), 'utf8'), broker.id)
  }
}

function assertQuietLog(log: string, broker: string): void {
  for (const line of log.split('\n')) {
    if (line === '') continue
    assert.ok(line.startsWith('{'), `broker ${broker} logs only its own lines, not: ${line}`)
    const { level } = JSON.parse(line) as { level: string }
    assert.notEqual(level, 'error', `broker ${broker} has logged an error: ${line}`)
    assert.ok(!line.includes('    at '), `broker ${broker} has logged a stack: ${line}`)
  }
}

/** A connection with its errors ignored; it ends with the test at the latest. */
export function openSocket(t: TestContext, url: string): Socket {
  const socket = connectTo(url)
  t.after(() => socket.destroy())
  return socket
}

function connectTo(url: string): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => undefined)
  return socket
}

/** Sends bytes as they are and returns what comes until `isEnough`, or until the other side closes. */
export function exchange(
  url: string,
  bytes: string | Uint8Array,
  isEnough: (text: string) => boolean = () => false,
  timeoutMs = 20_000,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTo(url)
    let text = ''
    const finish = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error(`Nothing more came within ${timeoutMs} ms, after: ${text.slice(0, 500)}`))
    }, timeoutMs)
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1')
      if (isEnough(text)) finish()
    })
    socket.on('close', finish)
    socket.write(bytes)
  })
}

/** The bytes that ask for a WebSocket at a path. */
export function handshake(path: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: localhost',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  ]
  return `${lines.join('\r\n')}\r\n\r\n`
}
