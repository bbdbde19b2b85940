import type { Problem } from './problem.ts'
import type { SynodRecord } from './records.ts'

/** The binary form: values come as the bytes that they are, so that credit in bytes adds up exactly. */
export const SUBPROTOCOL = 'synod.v1.bin'

export interface Credit {
  readonly records: number
  /** Of keys and values. */
  readonly bytes: number
}

export type ClientFrame =
  | {
      readonly type: 'subscribe'
      readonly id: string
      readonly sid: string
      readonly topic: string
      readonly partitions?: readonly number[]
      readonly from?: string
      readonly cursor?: string
      readonly credit: Credit
    }
  | { readonly type: 'credit'; readonly sid: string; readonly records: number; readonly bytes: number }
  | { readonly type: 'ping' }

/** Those that a subscriber does something about; all others show that the broker is there. */
export type ServerFrame =
  | {
      readonly type: 'subscribed'
      readonly cursor: string
      readonly positions: readonly { readonly partition: number; readonly nextOffset: number }[]
    }
  | {
      readonly type: 'records'
      readonly records: readonly SynodRecord[]
      /** What each record costs of the credit. */
      readonly sizesBytes: readonly number[]
      readonly cursor: string
    }
  | { readonly type: 'reset'; readonly lost: number }
  | { readonly type: 'moving' }
  | { readonly type: 'error'; readonly problem: Problem }
  | { readonly type: 'welcome' | 'heartbeat' | 'pong' | 'end' }

const LENGTH_BYTES = 4
/** Arguments of one call; more would not fit on the stack. */
const CHUNK_BYTES = 8_192

const encoder = new TextEncoder()
/** A byte order mark belongs to the value. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encodeFrame(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  const header = encoder.encode(JSON.stringify(frame))
  const message = new Uint8Array(LENGTH_BYTES + header.length)
  new DataView(message.buffer).setUint32(0, header.length)
  message.set(header, LENGTH_BYTES)
  return message
}

/** Throws for what is no frame. */
export function decodeFrame(data: ArrayBuffer): ServerFrame {
  const headerEnd = LENGTH_BYTES + new DataView(data).getUint32(0)
  const headerBytes = new Uint8Array(data, LENGTH_BYTES, headerEnd - LENGTH_BYTES)
  const header = JSON.parse(decoder.decode(headerBytes)) as Header
  if (header.type !== 'records') return header
  const { records: heads, cursor } = header
  const sizesBytes: number[] = []
  let at = headerEnd
  const records = heads.map(({ form, size, ...head }): SynodRecord => {
    const keyBytes = head.key === undefined ? 0 : encoder.encode(head.key).length
    sizesBytes.push(keyBytes + (size ?? 0))
    if (size === undefined) return head
    const value = new Uint8Array(data, at, size)
    at += size
    if (form === 'json') return { ...head, value: JSON.parse(decoder.decode(value)) as unknown }
    return form === 'text'
      ? { ...head, text: decoder.decode(value) }
      : { ...head, base64: base64Of(value) }
  })
  return { type: 'records', records, sizesBytes, cursor }
}

interface RecordHead extends SynodRecord {
  readonly form?: 'json' | 'text' | 'bytes'
  readonly size?: number
}

interface RecordsHeader {
  readonly type: 'records'
  readonly records: readonly RecordHead[]
  readonly cursor: string
}

type Header = Exclude<ServerFrame, { type: 'records' }> | RecordsHeader

function base64Of(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES)
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  return btoa(binary)
}
