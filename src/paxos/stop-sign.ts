import { invariant } from '../types/invariant.ts'
import type { BrokerId, Replica, StoreId } from '../types/ids.ts'
import { ENTRY_KIND, VOTERS_MAX, type Configuration, type Entry } from './state.ts'

/** What a stop-sign says: the number of the configuration that it begins, and who votes in it. */
export type StopSign = Pick<Configuration, 'number' | 'voters'>

/*
 * Body of a STOPSIGN entry, big-endian: version u8 (1) · number u32 · voter count u8 · each voter: broker u16, 16 bytes of
 * store id. It is stored and sent: keep it stable.
 */
const VERSION = 1
const HEAD_BYTES = 6
const STORE_BYTES = 16
const VOTER_BYTES = 2 + STORE_BYTES

export function encodeStopSign({ number, voters }: StopSign): Uint8Array {
  const body = new Uint8Array(HEAD_BYTES + voters.length * VOTER_BYTES)
  const view = new DataView(body.buffer)
  view.setUint8(0, VERSION)
  view.setUint32(1, number)
  view.setUint8(5, voters.length)
  voters.forEach(({ broker, store }, place) => {
    invariant(store.length === 2 * STORE_BYTES, 'A store id has 32 hex digits.')
    const at = HEAD_BYTES + place * VOTER_BYTES
    view.setUint16(at, broker)
    for (let index = 0; index < STORE_BYTES; index++)
      view.setUint8(at + 2 + index, Number.parseInt(store.slice(2 * index, 2 * index + 2), 16))
  })
  return body
}

/** Undefined for a body that no leader wrote. */
export function decodeStopSign(body: Uint8Array): StopSign | undefined {
  if (body.length < HEAD_BYTES) return undefined
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength)
  const count = view.getUint8(5)
  const isSound =
    view.getUint8(0) === VERSION &&
    count >= 1 &&
    count <= VOTERS_MAX &&
    body.length === HEAD_BYTES + count * VOTER_BYTES
  if (!isSound) return undefined
  const voters: Replica[] = []
  for (let at = HEAD_BYTES; voters.length < count; at += VOTER_BYTES) {
    let store = ''
    for (let index = 0; index < STORE_BYTES; index++)
      store += view
        .getUint8(at + 2 + index)
        .toString(16)
        .padStart(2, '0')
    voters.push({ broker: view.getUint16(at) as BrokerId, store: store as StoreId })
  }
  return { number: view.getUint32(1), voters }
}

/** The configuration that a chosen entry begins; undefined when it is no stop-sign. */
export function configurationOf(entry: Entry): Configuration | undefined {
  if (entry.kind !== ENTRY_KIND.STOPSIGN) return undefined
  const stopSign = decodeStopSign(entry.body)
  invariant(stopSign !== undefined, 'A chosen stop-sign names the next configuration.')
  return { ...stopSign, learners: [], fromSlot: entry.slot }
}
