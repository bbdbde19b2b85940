import assert from 'node:assert/strict'
import { BINARY_FRAMES } from '../../../src/gateway/ws/session-frames.ts'

/** A message of `synod.v1.bin` as the documents have it, made and read without the broker's own code. */
export interface BinaryMessage {
  readonly frame: Readonly<Record<string, unknown>>
  readonly values: Buffer
}

export function encodeBinary(frame: unknown, values: readonly Uint8Array[] = []): Buffer {
  const header = Buffer.from(JSON.stringify(frame))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  return Buffer.concat([length, header, ...values])
}

export function decodeBinary(data: Buffer): BinaryMessage {
  const end = 4 + data.readUInt32BE(0)
  assert.ok(end <= data.length, 'The header is whole.')
  const frame = JSON.parse(data.toString('utf8', 4, end)) as BinaryMessage['frame']
  return { frame, values: data.subarray(end) }
}

/** The frame as the text form has it: each value inside its record. Checks the header against its schema. */
export function asTextFrame({ frame, values }: BinaryMessage): Record<string, unknown> {
  if (frame['type'] !== 'records') {
    assert.equal(values.length, 0, `A frame '${String(frame['type'])}' has no values.`)
    return frame
  }
  const header = BINARY_FRAMES.binaryRecords.parse(frame)
  let at = 0
  const records = header.records.map(({ form, size, ...record }) => {
    if (form === undefined || size === undefined) return record
    const value = values.subarray(at, (at += size))
    assert.equal(value.length, size, 'Each value is whole.')
    return { ...record, ...valueMember(form, value) }
  })
  assert.equal(at, values.length, 'Nothing follows the last value.')
  return { ...header, records }
}

function valueMember(form: 'json' | 'text' | 'bytes', value: Buffer): Record<string, unknown> {
  if (form === 'json') return { value: JSON.parse(value.toString('utf8')) as unknown }
  return form === 'text' ? { text: value.toString('utf8') } : { base64: value.toString('base64') }
}
