import type { BrokerId, GroupId } from '../types/ids.ts'
import { SynodError } from '../errors.ts'
import type { PeerRequest } from '../transport/transport.ts'
import {
  decodeAppend,
  decodeJson,
  encodeJson,
  encodeOutcome,
  encodeReadAnswer,
  type ForwardedRead,
} from './forward.ts'
import type { Inspector } from './inspect.ts'
import type { ForwardedPosition, PartitionLog } from './log.ts'
import type { Reassignments } from './reassignments.ts'
import type { LeaderMoves } from './move-leader.ts'
import { batchBody, MalformedBatchError } from './record-batch.ts'

/** What another broker may ask of this one's partitions, by the request's kind. */
export class PartitionRequests {
  readonly #log: PartitionLog
  readonly #inspector: Inspector
  readonly #moves: LeaderMoves
  readonly #reassignments: Reassignments

  constructor(parts: {
    log: PartitionLog
    inspector: Inspector
    moves: LeaderMoves
    reassignments: Reassignments
  }) {
    this.#log = parts.log
    this.#inspector = parts.inspector
    this.#moves = parts.moves
    this.#reassignments = parts.reassignments
  }

  async handle(
    _from: BrokerId,
    request: PeerRequest,
    options: { readonly deadlineMs: number; readonly signal: AbortSignal },
  ): Promise<Uint8Array> {
    const { group, body } = request
    switch (request.kind) {
      case 'append':
        return this.#append(group, body, options.deadlineMs)
      case 'read':
        return encodeReadAnswer(
          await this.#log.readHere(group, decodeJson(body) as ForwardedRead, options.signal),
          batchBody,
        )
      case 'resolve':
        return encodeJson({
          offset: await this.#log.resolveHere(group, decodeJson(body) as ForwardedPosition),
        })
      case 'state':
        return encodeJson(this.#inspector.statesHere((decodeJson(body) as { groups: GroupId[] }).groups))
      case 'trim':
        return encodeJson({ logStart: await this.#trim(group, body, options.deadlineMs) })
      case 'transfer':
        return this.#moves.handle(group, body)
      case 'reconfigure':
        return this.#reassignments.handle(group, body)
      default:
        throw new SynodError(
          'malformed-request',
          `This broker does not know the request '${request.kind}'.`,
          {
            hint: 'All brokers of a cluster should run the same version.',
          },
        )
    }
  }

  async #trim(group: GroupId, body: Uint8Array, timeoutMs: number): Promise<number> {
    const asked = decodeJson(body)
    const isObject = typeof asked === 'object' && asked !== null && 'beforeOffset' in asked
    const beforeOffset = isObject ? asked.beforeOffset : undefined
    if (typeof beforeOffset !== 'number' || !Number.isSafeInteger(beforeOffset) || beforeOffset < 0)
      throw new SynodError('malformed-request', 'A trim names an offset.')
    return this.#log.trimHere(group, beforeOffset, timeoutMs)
  }

  async #append(group: GroupId, body: Uint8Array, deadlineMs: number): Promise<Uint8Array> {
    const { batch, acks, timeoutMs } = decodeAppend(body)
    const options = { acks, timeoutMs: Math.min(timeoutMs, deadlineMs) }
    try {
      return encodeOutcome(await this.#log.appendHere(group, batch, options))
    } catch (error) {
      if (!(error instanceof MalformedBatchError)) throw error
      throw new SynodError('malformed-request', `The forwarded batch cannot be read: ${error.message}`)
    }
  }
}
