import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import type { z } from '@hono/zod-openapi'
import { SERVER_FRAMES } from '../../../src/gateway/ws/session-frames.ts'
import { eventually } from '../../support/eventually.ts'
import { asTextFrame, decodeBinary, encodeBinary } from './binary-frames.ts'
import type { SubscribeServer } from './subscribe-server.ts'

type Shapes = { [Name in keyof typeof SERVER_FRAMES]: z.infer<(typeof SERVER_FRAMES)[Name]> }
export type AnyServerFrame = Shapes[keyof Shapes]

/** A session's other side: every frame that comes is held against its schema. */
export class SessionClient {
  readonly socket: WebSocket
  readonly frames: AnyServerFrame[] = []
  readonly faults: unknown[] = []
  readonly closed: Promise<number>

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      try {
        assert.equal(isBinary, this.isBinary)
        const frame: unknown = isBinary ? asTextFrame(decodeBinary(data)) : JSON.parse(data.toString())
        this.frames.push(parseServerFrame(frame))
      } catch (error) {
        this.faults.push(error)
      }
    })
    this.closed = new Promise((resolve) => socket.once('close', (code) => resolve(code)))
  }

  /** Which form was agreed on with the broker. */
  get isBinary(): boolean {
    return this.socket.protocol === 'synod.v1.bin'
  }

  send(frame: Readonly<Record<string, unknown>>, values: readonly Uint8Array[] = []): void {
    assert.ok(this.isBinary || values.length === 0, 'Values follow in the binary form only.')
    this.socket.send(this.isBinary ? encodeBinary(frame, values) : JSON.stringify(frame))
  }

  of<Type extends keyof Shapes>(type: Type): Shapes[Type][] {
    assert.deepEqual(this.faults, [])
    return this.frames.filter((frame): frame is Shapes[Type] => frame.type === type)
  }

  /** The first such frame that fits, when it is there. */
  async next<Type extends keyof Shapes>(
    type: Type,
    fits: (frame: Shapes[Type]) => boolean = () => true,
  ): Promise<Shapes[Type]> {
    const found = (): Shapes[Type] | undefined => this.of(type).find(fits)
    await eventually(() => assert.ok(found() !== undefined, `a frame '${type}'`))
    const frame = found()
    assert.ok(frame !== undefined)
    return frame
  }

  /** Waits until the broker has taken all that was sent. */
  async settled(): Promise<void> {
    const id = `ping-${this.frames.length}-${Math.random()}`
    this.send({ type: 'ping', id })
    await this.next('pong', (frame) => frame.id === id)
  }

  offsets(sid: string, partition = 0): number[] {
    return this.of('records')
      .filter((frame) => frame.sid === sid)
      .flatMap(({ records }) => records)
      .filter((record) => record.partition === partition)
      .map(({ offset }) => offset)
  }
}

export function parseServerFrame(frame: unknown): AnyServerFrame {
  const type = (frame as { type: keyof Shapes }).type
  assert.ok(Object.hasOwn(SERVER_FRAMES, type), `There is a frame '${type}'.`)
  return SERVER_FRAMES[type].parse(frame)
}

export async function openSession(
  t: TestContext,
  server: SubscribeServer,
  protocols: string[] = [],
  path = '/v1/ws',
): Promise<SessionClient> {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, protocols)
  t.after(() => socket.terminate())
  const client = new SessionClient(socket)
  await once(socket, 'open')
  return client
}

export const PLENTY = { records: 1_000_000, bytes: 1_000_000_000 }
