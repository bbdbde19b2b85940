import type { BrokerId, Slot } from '../types/ids.ts'
import { invariant, unreachable } from '../types/invariant.ts'
import type { Ballot } from '../paxos/ballot.ts'
import type { Message, MessageKind } from '../paxos/messages.ts'
import { ENTRY_KIND, type Checkpoint, type Checksum, type Entry, type EntryKind } from '../paxos/state.ts'
import { DamagedBodyError, MalformedFrameError, type ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'
import { readCheckpoint, writeCheckpoint } from './checkpoint-codec.ts'
import { fieldsOf, type FieldForm } from './message-fields.ts'

/** slot 8, kind 1, origin 10, recordCount 4, crc 4, chain 4, body length 4. */
const ENTRY_HEADER_BYTES = 35

/**
 * Writes the fields of a message in the order of `message-fields.ts`; the kind itself is the frame's type.
 * Large bodies are referred to, not copied.
 */
export function encodeMessage(writer: ByteWriter, message: Message): void {
  const fields = fieldsOf(message.kind)
  invariant(fields !== undefined, `There is no message '${message.kind}'.`)
  const values = message as unknown as Readonly<Record<string, unknown>>
  for (const [name, form] of fields) writeField(writer, form, values[name])
}

/**
 * The message in a frame of this kind. Bodies are views into the frame, verified by `checksum`.
 * Throws `MalformedFrameError` for bytes that are no such message, `DamagedBodyError` when a body lacks its checksum.
 */
export function decodeMessage(kind: MessageKind, reader: ByteReader, checksum: Checksum): Message {
  const fields = fieldsOf(kind)
  invariant(fields !== undefined, `There is no message '${kind}'.`)
  const message: Record<string, unknown> = { kind }
  for (const [name, form] of fields) message[name] = readField(reader, form)
  reader.expectEnd()
  // Checked last, so that what is malformed is never called damaged.
  for (const [name, form] of fields) {
    if (form === 'entry') verifyBody(message[name] as Entry, checksum)
    if (form === 'entries') for (const entry of message[name] as readonly Entry[]) verifyBody(entry, checksum)
  }
  return message as unknown as Message
}

function writeField(writer: ByteWriter, form: FieldForm, value: unknown): void {
  switch (form) {
    case 'slot':
    case 'count':
      return writer.count(value as number)
    case 'u32':
      return writer.u32(value as number)
    case 'boolean':
      return writer.boolean(value as boolean)
    case 'ballot':
      return writeBallot(writer, value as Ballot)
    case 'entry':
      return writeEntry(writer, value as Entry)
    case 'entries': {
      const entries = value as readonly Entry[]
      writer.u32(entries.length)
      for (const entry of entries) writeEntry(writer, entry)
      return
    }
    case 'checkpoint':
      return writeCheckpoint(writer, value as Checkpoint)
    case 'bytes': {
      const bytes = value as Uint8Array
      writer.u32(bytes.length)
      return writer.bytes(bytes)
    }
    default:
      return unreachable(form)
  }
}

function readField(reader: ByteReader, form: FieldForm): unknown {
  switch (form) {
    case 'slot':
    case 'count':
      return reader.count()
    case 'u32':
      return reader.u32()
    case 'boolean':
      return reader.boolean()
    case 'ballot':
      return readBallot(reader)
    case 'entry':
      return readEntry(reader)
    case 'entries':
      return readEntries(reader)
    case 'checkpoint':
      return readCheckpoint(reader)
    case 'bytes':
      return reader.bytes(reader.u32())
    default:
      return unreachable(form)
  }
}

function writeBallot(writer: ByteWriter, ballot: Ballot): void {
  writer.u32(ballot.config)
  writer.u32(ballot.round)
  writer.u16(ballot.broker)
}

function readBallot(reader: ByteReader): Ballot {
  return { config: reader.u32(), round: reader.u32(), broker: reader.u16() as BrokerId }
}

function writeEntry(writer: ByteWriter, entry: Entry): void {
  writer.count(entry.slot)
  writer.u8(entry.kind)
  writeBallot(writer, entry.origin)
  writer.u32(entry.recordCount)
  writer.u32(entry.crc)
  writer.u32(entry.chain)
  writer.u32(entry.body.length)
  writer.bytes(entry.body)
}

function readEntry(reader: ByteReader): Entry {
  return {
    slot: reader.count() as Slot,
    kind: readEntryKind(reader),
    origin: readBallot(reader),
    recordCount: reader.u32(),
    crc: reader.u32(),
    chain: reader.u32(),
    body: reader.bytes(reader.u32()),
  }
}

function readEntries(reader: ByteReader): Entry[] {
  const count = reader.u32()
  if (count * ENTRY_HEADER_BYTES > reader.remaining) {
    throw new MalformedFrameError(`${count} entries do not fit into ${reader.remaining} bytes.`)
  }
  const entries: Entry[] = []
  for (let index = 0; index < count; index++) entries.push(readEntry(reader))
  return entries
}

function readEntryKind(reader: ByteReader): EntryKind {
  const kind = reader.u8()
  if (kind < ENTRY_KIND.DATA || kind > ENTRY_KIND.STOPSIGN) {
    throw new MalformedFrameError(`There is no kind of entry ${kind}.`)
  }
  return kind as EntryKind
}

function verifyBody(entry: Entry, checksum: Checksum): void {
  if (checksum(entry.body, 0) !== entry.crc) {
    throw new DamagedBodyError(`The body of slot ${entry.slot} does not have its checksum.`)
  }
}
