import { BINARY_CODEC } from './session-binary.ts'
import type { SessionCodec } from './session-codec.ts'
import { TEXT_CODEC } from './session-text.ts'

/** What sessions speak, the default first. */
export const SUBPROTOCOLS = ['synod.v1.json', 'synod.v1.bin'] as const

const CODECS: Readonly<Record<(typeof SUBPROTOCOLS)[number], SessionCodec>> = {
  'synod.v1.json': TEXT_CODEC,
  'synod.v1.bin': BINARY_CODEC,
}

/** What is spoken with a client that offered these; undefined when none of them is known here. */
export function codecOf(offered: string | undefined): SessionCodec | undefined {
  if (offered === undefined) return TEXT_CODEC
  const names = new Set(offered.split(',').map((name) => name.trim()))
  const chosen = SUBPROTOCOLS.find((name) => names.has(name))
  return chosen === undefined ? undefined : CODECS[chosen]
}
