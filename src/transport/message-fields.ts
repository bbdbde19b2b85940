import type { Slot } from '../types/ids.ts'
import type { Ballot } from '../paxos/ballot.ts'
import type { Message, MessageKind } from '../paxos/messages.ts'
import type { Checkpoint, Entry } from '../paxos/state.ts'

/** How a field of a message travels. `count`: a whole number up to 2^53 - 1; `u32`: up to 2^32 - 1. */
export type FieldForm =
  'slot' | 'ballot' | 'u32' | 'count' | 'boolean' | 'entry' | 'entries' | 'checkpoint' | 'bytes'

type FormOf<T> = T extends Slot
  ? 'slot'
  : T extends Ballot
    ? 'ballot'
    : T extends Entry
      ? 'entry'
      : T extends Checkpoint
        ? 'checkpoint'
        : T extends Uint8Array
          ? 'bytes'
          : T extends readonly Entry[]
            ? 'entries'
            : T extends boolean
              ? 'boolean'
              : T extends number
                ? 'u32' | 'count'
                : never

type FieldsOf<M extends Message> = {
  readonly [F in Exclude<keyof M, 'kind'>]: FormOf<M[F]>
}

/**
 * Every field of every message, in wire order: both codecs, binary and JSON, read this table. It compiles only when it
 * names each field of `paxos/messages.ts` with a fitting form.
 */
const FIELDS = {
  canvass: { configNumber: 'u32', commit: 'slot', accepted: 'ballot', through: 'slot', attempt: 'u32' },
  endorse: { configNumber: 'u32', attempt: 'u32', commit: 'slot' },
  refuse: { configNumber: 'u32', attempt: 'u32', commit: 'slot', promised: 'ballot' },
  prepare: { ballot: 'ballot', accepted: 'ballot', through: 'slot', commit: 'slot' },
  promise: {
    ballot: 'ballot',
    accepted: 'ballot',
    through: 'slot',
    commit: 'slot',
    base: 'slot',
    suffix: 'entries',
    nonVoting: 'boolean',
    tooFar: 'boolean',
  },
  prepareRequest: { ballot: 'ballot' },
  acceptSync: { ballot: 'ballot', base: 'slot', chainAtBase: 'u32', entries: 'entries', commit: 'slot' },
  accept: { ballot: 'ballot', previous: 'slot', entries: 'entries', commit: 'slot' },
  accepted: { ballot: 'ballot', through: 'slot', commit: 'slot' },
  nack: { promised: 'ballot' },
  learn: { ballot: 'ballot', commit: 'slot' },
  syncRequired: { ballot: 'ballot', commit: 'slot' },
  syncRequest: { fromSlot: 'slot', resetSlot: 'slot', part: 'u32' },
  syncChunk: { fromSlot: 'slot', entries: 'entries', commit: 'slot' },
  syncReset: { checkpoint: 'checkpoint', part: 'u32', rows: 'bytes', crc: 'u32' },
  resign: { ballot: 'ballot' },
  readProbe: { ballot: 'ballot', readId: 'count' },
  readAck: { ballot: 'ballot', readId: 'count' },
  transferNow: { ballot: 'ballot', lastSlot: 'slot', transferId: 'count' },
  repairRequest: { slot: 'slot', origin: 'ballot', chain: 'u32' },
  repairResponse: { entry: 'entry' },
  repairTrimmed: { logStart: 'slot' },
} as const satisfies { readonly [K in MessageKind]: FieldsOf<Extract<Message, { readonly kind: K }>> }

/** The type byte of each message's frame. They are spoken between versions: keep them stable, never use one twice. */
export const MESSAGE_TYPES = {
  canvass: 1,
  endorse: 2,
  refuse: 3,
  prepare: 4,
  promise: 5,
  prepareRequest: 6,
  acceptSync: 7,
  accept: 8,
  accepted: 9,
  nack: 10,
  learn: 11,
  syncRequired: 12,
  syncRequest: 13,
  syncChunk: 14,
  syncReset: 15,
  resign: 16,
  readProbe: 17,
  readAck: 18,
  transferNow: 19,
  repairRequest: 20,
  repairResponse: 21,
  repairTrimmed: 22,
} as const satisfies Readonly<Record<MessageKind, number>>

export type Field = readonly [name: string, form: FieldForm]

const FIELDS_BY_KIND: ReadonlyMap<MessageKind, readonly Field[]> = new Map(
  Object.entries(FIELDS).map(([kind, fields]) => [
    kind as MessageKind,
    Object.entries(fields) as readonly Field[],
  ]),
)

const KIND_BY_TYPE: ReadonlyMap<number, MessageKind> = new Map(
  Object.entries(MESSAGE_TYPES).map(([kind, type]) => [type, kind as MessageKind]),
)

/** Fields of a kind, in wire order; undefined when there is no such kind. */
export function fieldsOf(kind: string): readonly Field[] | undefined {
  return FIELDS_BY_KIND.get(kind as MessageKind)
}

/** The kind that a frame's type byte names; undefined for other frames. */
export function messageKindOf(type: number): MessageKind | undefined {
  return KIND_BY_TYPE.get(type)
}
