import type { BrokerId, Replica, Slot, StoreId } from '../types/ids.ts'
import { unreachable } from '../types/invariant.ts'
import { formatBallot, NO_BALLOT, type Ballot } from '../paxos/ballot.ts'
import { chainOf } from '../paxos/entry.ts'
import type { Message, MessageKind } from '../paxos/messages.ts'
import {
  ENTRY_KIND,
  type Checkpoint,
  type Checksum,
  type Configuration,
  type Entry,
  type EntryKind,
} from '../paxos/state.ts'
import { RequestProblem } from './http-answers.ts'
import { fieldsOf, type FieldForm } from './message-fields.ts'
import { isObject } from './request-codec.ts'

const U32_MAX = 0xffffffff
/** What a person who asks for the first part of a checkpoint, or for none, need not say. */
const DEFAULTS: ReadonlyMap<string, unknown> = new Map([
  ['resetSlot', 0],
  ['part', 0],
])
const ENTRY_FIELDS = ['slot', 'kind', 'origin', 'recordCount', 'body', 'crc', 'chain']

/** As people write and read it: ballots 'config.round.broker', bodies base64, kinds of entries by name. */
export function messageToJson(message: Message): Record<string, unknown> {
  const values = message as unknown as Readonly<Record<string, unknown>>
  const json: Record<string, unknown> = { kind: message.kind }
  for (const [name, form] of fieldsOf(message.kind) ?? []) json[name] = fieldToJson(form, values[name])
  return json
}

/**
 * A message of this kind that a person wrote. Of an entry, `crc` may be left out, and `chain` too when `chainBefore`
 * stands beside the entries (in acceptSync `chainAtBase` does): both are then computed.
 * Error: RequestProblem 400 that names the field.
 */
export function messageFromJson(
  kind: MessageKind,
  json: Record<string, unknown>,
  checksum: Checksum,
): Message {
  const fields = fieldsOf(kind) ?? []
  const known = new Set(['kind', 'chainBefore', ...fields.map(([name]) => name)])
  for (const name of Object.keys(json)) {
    if (known.has(name)) continue
    throw bad(
      `A message '${kind}' has no field '${name}'.`,
      `Its fields: ${fields.map(([field]) => field).join(', ')}.`,
    )
  }
  const message: Record<string, unknown> = { kind }
  const chain = { before: json['chainBefore'] ?? json['chainAtBase'], checksum }
  for (const [name, form] of fields)
    message[name] = fieldFromJson(form, name, json[name] ?? DEFAULTS.get(name), chain)
  return message as unknown as Message
}

/** Error: RequestProblem 400. */
export function numberFromJson(name: string, value: unknown, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) {
    throw bad(`'${name}' is a whole number from 0 to ${max}, not ${JSON.stringify(value) ?? 'missing'}.`)
  }
  return value
}

/** What an entry needs to compute its chain value when the person left it out. */
interface Chain {
  before: unknown
  readonly checksum: Checksum
}

function fieldToJson(form: FieldForm, value: unknown): unknown {
  if (form === 'ballot') return formatBallot(value as Ballot)
  if (form === 'entry') return entryToJson(value as Entry)
  if (form === 'entries') return (value as readonly Entry[]).map(entryToJson)
  if (form === 'bytes') return base64(value as Uint8Array)
  return value
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function entryToJson(entry: Entry): Record<string, unknown> {
  return {
    ...entry,
    kind: Object.entries(ENTRY_KIND).find(([, number]) => number === entry.kind)?.[0],
    origin: formatBallot(entry.origin),
    body: base64(entry.body),
  }
}

function fieldFromJson(form: FieldForm, name: string, value: unknown, chain: Chain): unknown {
  switch (form) {
    case 'slot':
    case 'count':
      return numberFromJson(name, value, Number.MAX_SAFE_INTEGER)
    case 'u32':
      return numberFromJson(name, value, U32_MAX)
    case 'boolean':
      if (typeof value !== 'boolean')
        throw bad(`'${name}' is true or false, not ${JSON.stringify(value) ?? 'missing'}.`)
      return value
    case 'ballot':
      return ballotFromJson(name, value)
    case 'entry':
      return entryFromJson(name, value, chain)
    case 'entries':
      if (!Array.isArray(value)) throw bad(`'${name}' is a list of entries.`)
      return value.map((entry, index) => entryFromJson(`${name}[${index}]`, entry, chain))
    case 'checkpoint':
      return checkpointFromJson(name, value)
    case 'bytes':
      return bytesFromJson(name, value ?? '')
    default:
      return unreachable(form)
  }
}

function ballotFromJson(name: string, value: unknown): Ballot {
  if (value === '0') return NO_BALLOT
  if (typeof value === 'string') {
    const parts = /^(\d{1,10})\.(\d{1,10})\.(\d{1,5})$/.exec(value)
    if (parts === null)
      throw bad(`'${name}' is a ballot like "1.4.2" (configuration, round, broker), not "${value}".`)
    return ballotOf(name, { config: Number(parts[1]), round: Number(parts[2]), broker: Number(parts[3]) })
  }
  if (!isObject(value)) throw bad(`'${name}' is a ballot like "1.4.2", or "0" for none.`)
  return ballotOf(name, value)
}

function ballotOf(name: string, parts: Record<string, unknown>): Ballot {
  return {
    config: numberFromJson(`${name}.config`, parts['config'], U32_MAX),
    round: numberFromJson(`${name}.round`, parts['round'], U32_MAX),
    broker: numberFromJson(`${name}.broker`, parts['broker'], 0xffff) as BrokerId,
  }
}

function checkpointFromJson(name: string, value: unknown): Checkpoint {
  if (!isObject(value)) throw bad(`'${name}' is a checkpoint as syncReset shows it.`)
  const number = (field: string, max = Number.MAX_SAFE_INTEGER): number =>
    numberFromJson(`${name}.${field}`, value[field], max)
  return {
    slot: number('slot') as Slot,
    chain: number('chain', U32_MAX),
    configuration: configurationFromJson(`${name}.configuration`, value['configuration']),
    partCount: number('partCount', U32_MAX),
    offset: number('offset'),
    lastAppendedAtMs: number('lastAppendedAtMs'),
    logBytes: number('logBytes'),
  }
}

function configurationFromJson(name: string, value: unknown): Configuration {
  if (!isObject(value)) throw bad(`'${name}' is an object with number, voters, learners and fromSlot.`)
  return {
    number: numberFromJson(`${name}.number`, value['number'], U32_MAX),
    voters: replicasFromJson(`${name}.voters`, value['voters']),
    learners: replicasFromJson(`${name}.learners`, value['learners']),
    fromSlot: numberFromJson(`${name}.fromSlot`, value['fromSlot'], Number.MAX_SAFE_INTEGER) as Slot,
  }
}

function replicasFromJson(name: string, value: unknown): readonly Replica[] {
  if (!Array.isArray(value)) throw bad(`'${name}' is a list of {broker, store}.`)
  return value.map((replica: unknown, index) => {
    const store = isObject(replica) ? replica['store'] : undefined
    if (!isObject(replica) || typeof store !== 'string' || !/^[0-9a-f]{32}$/.test(store))
      throw bad(`'${name}[${index}]' is {broker, store}, the store id in 32 hex digits.`)
    const broker = numberFromJson(`${name}[${index}].broker`, replica['broker'], 0xffff) as BrokerId
    return { broker, store: store as StoreId }
  })
}

function entryFromJson(name: string, value: unknown, chain: Chain): Entry {
  if (!isObject(value)) throw bad(`'${name}' is an object with ${ENTRY_FIELDS.join(', ')}.`)
  const unknown = Object.keys(value).find((field) => !ENTRY_FIELDS.includes(field))
  if (unknown !== undefined)
    throw bad(`'${name}' has no field '${unknown}'.`, `Its fields: ${ENTRY_FIELDS.join(', ')}.`)
  const body = bytesFromJson(`${name}.body`, value['body'] ?? '')
  const crc = chain.checksum(body, 0)
  if (value['crc'] !== undefined && value['crc'] !== crc) {
    throw bad(
      `'${name}.crc' is ${crc} for this body, not ${JSON.stringify(value['crc'])}.`,
      'It may be left out.',
    )
  }
  const facts = {
    slot: numberFromJson(`${name}.slot`, value['slot'], Number.MAX_SAFE_INTEGER) as Slot,
    kind: kindFromJson(name, value['kind']),
    origin: ballotFromJson(`${name}.origin`, value['origin']),
    recordCount: numberFromJson(`${name}.recordCount`, value['recordCount'], U32_MAX),
    crc,
  }
  const entry = { ...facts, body, chain: chainFromJson(name, value['chain'], facts, chain) }
  chain.before = entry.chain
  return entry
}

function chainFromJson(
  name: string,
  value: unknown,
  facts: Parameters<typeof chainOf>[1],
  chain: Chain,
): number {
  if (value !== undefined) return numberFromJson(`${name}.chain`, value, U32_MAX)
  if (chain.before === undefined) {
    throw bad(
      `'${name}.chain' is missing.`,
      "Give it, or give 'chainBefore', the chain value of the slot before the first.",
    )
  }
  return chainOf(numberFromJson('chainBefore', chain.before, U32_MAX), facts, chain.checksum)
}

function kindFromJson(name: string, value: unknown): EntryKind {
  const kinds = Object.entries(ENTRY_KIND)
  const kind = kinds.find(([label, number]) => value === label || value === number)
  if (kind === undefined) {
    throw bad(
      `'${name}.kind' is one of ${kinds.map(([label]) => label).join(', ')}, not ${JSON.stringify(value)}.`,
    )
  }
  return kind[1]
}

function bytesFromJson(name: string, value: unknown): Buffer {
  const isBase64 = typeof value === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(value) && value.length % 4 === 0
  if (!isBase64) throw bad(`'${name}' is base64.`)
  return Buffer.from(value, 'base64')
}

function bad(detail: string, hint?: string): RequestProblem {
  return new RequestProblem(400, 'Malformed message', detail, hint)
}
