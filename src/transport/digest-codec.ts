import { DIGEST_PLACES_MAX, type Digest, type DigestKind, type Place } from '../types/digest.ts'
import { groupId, type Slot } from '../types/ids.ts'
import { invariant } from '../types/invariant.ts'
import { MalformedFrameError, type ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

/** A kind's number on the wire is its place here: keep them stable. */
const KINDS: readonly DigestKind[] = ['tell', 'reply', 'confirm']

/** `u8 kind | u8 count | (u32 group, u64 slot, u32 chain, u64 next offset) …` */
export function encodeDigest(writer: ByteWriter, digest: Digest): void {
  const { kind, places } = digest
  invariant(places.length <= DIGEST_PLACES_MAX, `A digest has at most ${DIGEST_PLACES_MAX} places.`)
  writer.u8(KINDS.indexOf(kind))
  writer.u8(places.length)
  for (const { group, slot, chain, nextOffset } of places) {
    writer.u32(group)
    writer.count(slot)
    writer.u32(chain)
    writer.count(nextOffset)
  }
}

/** Throws `MalformedFrameError`. */
export function decodeDigest(reader: ByteReader): Digest {
  const number = reader.u8()
  const kind = KINDS[number]
  if (kind === undefined) throw new MalformedFrameError(`There is no digest of kind ${number}.`)
  const count = reader.u8()
  if (count > DIGEST_PLACES_MAX) throw new MalformedFrameError(`A digest has ${count} places.`)
  const places: Place[] = []
  while (places.length < count) {
    places.push({
      group: groupId(reader.u32()),
      slot: reader.count() as Slot,
      chain: reader.u32(),
      nextOffset: reader.count(),
    })
  }
  reader.expectEnd()
  return { kind, places }
}
