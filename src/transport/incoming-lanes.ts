import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BrokerId } from '../types/ids.ts'
import type { Checksum } from '../paxos/state.ts'
import {
  HEADER,
  PROTOCOL_VERSION,
  acceptanceProof,
  freshNonce,
  isNonce,
  openingProof,
  sameProof,
  sessionKeys,
  type Acceptance,
  type Opening,
} from './handshake.ts'
import { RequestProblem } from './http-answers.ts'
import { IncomingLane } from './incoming-lane.ts'
import { headerOf } from './lane-session.ts'
import { LANES, type LaneName } from './limits.ts'
import type { QuietLog } from './log.ts'
import type { LaneContext } from './outgoing-lane.ts'
import type { TransportHandlers } from './transport.ts'

export interface IncomingLanesOptions {
  readonly context: LaneContext
  readonly handlers: TransportHandlers
  readonly checksum: Checksum
  readonly log: QuietLog
  onHeard(peer: BrokerId): void
  /** The peer has opened its lane `ctl`: it is there, and may be dialled at once. */
  onArrived(peer: BrokerId): void
}

const BOOT_ID_LENGTH_MAX = 128

/**
 * The lanes that peers have opened to this broker, at most one of a kind from each: a newer one replaces the older,
 * whose connection may be dead without a word. Brokers that are not known yet are let in if they know the key.
 */
export class IncomingLanes {
  readonly #options: IncomingLanesOptions
  readonly #proven = new Map<string, IncomingLane>()
  readonly #all = new Set<IncomingLane>()
  /** Brokers that were peers and are none any more. */
  readonly #removed = new Set<BrokerId>()

  constructor(options: IncomingLanesOptions) {
    this.#options = options
  }

  /** Takes over the exchange. Throws a RequestProblem that says why not. */
  accept(request: IncomingMessage, response: ServerResponse, laneName: string | null): void {
    const { context, handlers, checksum, log } = this.#options
    const opening = this.#openingOf(request, laneName)
    const acceptance: Acceptance = { bootId: context.bootId, nonce: freshNonce() }
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      [HEADER.BOOT]: acceptance.bootId,
      [HEADER.NONCE]: acceptance.nonce,
      [HEADER.PROOF]: acceptanceProof(context.key, opening, acceptance),
    })
    response.flushHeaders()
    const lane = new IncomingLane({
      lane: opening.lane,
      from: opening.from,
      clusterId: opening.clusterId,
      keys: sessionKeys(context.key, opening, acceptance),
      request,
      response,
      handlers,
      counters: context.counters,
      checksum,
      log,
      currentClusterId: () => context.clusterId(),
      onProven: (proven) => this.#onProven(proven),
      onHeard: () => this.#options.onHeard(opening.from),
      onEnd: (ended) => this.#onEnd(ended),
    })
    this.#all.add(lane)
  }

  /** Closes the broker's lanes and lets it in no more, until it is admitted again. */
  remove(broker: BrokerId): void {
    this.#removed.add(broker)
    for (const lane of [...this.#all]) if (lane.from === broker) lane.close()
  }

  admit(broker: BrokerId): void {
    this.#removed.delete(broker)
  }

  close(): void {
    for (const lane of [...this.#all]) lane.close()
  }

  #onProven(lane: IncomingLane): void {
    const key = `${lane.from} ${lane.lane}`
    this.#proven.get(key)?.close()
    this.#proven.set(key, lane)
    this.#options.context.counters.lanesOpened++
    if (lane.lane === 'ctl') this.#options.onArrived(lane.from)
  }

  #onEnd(lane: IncomingLane): void {
    const key = `${lane.from} ${lane.lane}`
    this.#all.delete(lane)
    if (this.#proven.get(key) !== lane) return
    this.#proven.delete(key)
    this.#options.context.counters.lanesLost++
  }

  /** The proof comes before every other check, so that strangers learn nothing. */
  #openingOf(request: IncomingMessage, laneName: string | null): Opening {
    const { context } = this.#options
    const opening = claimedOpening(request, laneName)
    if (!sameProof(headerOf(request, HEADER.PROOF), openingProof(context.key, opening))) {
      throw new RequestProblem(401, 'Not authenticated', 'The proof of the cluster secret does not fit.')
    }
    if (opening.to !== context.self) {
      const detail = `This is broker ${context.self}, not ${opening.to}.`
      throw new RequestProblem(421, 'Wrong broker', detail, 'Check the addresses of the seeds.')
    }
    if (opening.from === context.self) {
      const detail = `Broker ${opening.from} is this one: two brokers must not have the same id.`
      throw new RequestProblem(409, 'Same broker id', detail)
    }
    if (opening.clusterId !== context.clusterId()) {
      const detail = `This broker is in cluster '${context.clusterId()}', not in '${opening.clusterId}'.`
      throw new RequestProblem(409, 'Another cluster', detail)
    }
    if (this.#removed.has(opening.from)) {
      throw new RequestProblem(403, 'Removed broker', `Broker ${opening.from} was removed from the cluster.`)
    }
    return opening
  }
}

function claimedOpening(request: IncomingMessage, laneName: string | null): Opening {
  const version = headerOf(request, HEADER.VERSION)
  if (version !== String(PROTOCOL_VERSION)) {
    const detail = `This broker speaks version ${PROTOCOL_VERSION} of the lanes, not '${version ?? ''}'.`
    throw new RequestProblem(
      400,
      'Unknown version',
      detail,
      'Lanes are for brokers; people use the JSON endpoints.',
    )
  }
  const lane = LANES.find((known): known is LaneName => known === laneName)
  if (lane === undefined)
    throw new RequestProblem(400, 'Unknown lane', `There is no lane '${laneName ?? ''}'.`)
  const bootId = headerOf(request, HEADER.BOOT)
  const nonce = headerOf(request, HEADER.NONCE)
  if (bootId === undefined || bootId.length > BOOT_ID_LENGTH_MAX || !isNonce(nonce)) {
    throw new RequestProblem(
      400,
      'Incomplete opening',
      'A lane is opened with a boot id and a nonce of 32 hex digits.',
    )
  }
  return {
    lane,
    bootId,
    nonce,
    clusterId: clusterIdOf(request),
    from: brokerHeader(request, HEADER.FROM),
    to: brokerHeader(request, HEADER.TO),
  }
}

/** Error: RequestProblem 400. */
export function brokerHeader(request: IncomingMessage, name: string): BrokerId {
  const text = headerOf(request, name) ?? ''
  const value = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > 0xffff) {
    throw new RequestProblem(
      400,
      'Unknown broker',
      `The header ${name} is a broker id, 1..65535, not '${text}'.`,
    )
  }
  return value as BrokerId
}

function clusterIdOf(request: IncomingMessage): string {
  try {
    return decodeURIComponent(headerOf(request, HEADER.CLUSTER) ?? '')
  } catch {
    throw new RequestProblem(
      400,
      'Malformed cluster id',
      `The header ${HEADER.CLUSTER} is not percent-encoded text.`,
    )
  }
}
