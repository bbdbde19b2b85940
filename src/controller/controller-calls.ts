import { CONTROLLER_GROUP, type BrokerId } from '../types/ids.ts'
import { SynodError, type ErrorCode } from '../errors.ts'
import { decodeJson, encodeJson } from '../partition/forward.ts'
import type { Router } from '../partition/router.ts'
import type { Controller } from './controller.ts'
import type { MetadataGroup } from './metadata-group.ts'
import type { ControllerAnswer, ControllerRequest } from './requests.ts'

const CONTROLLER_TIMEOUT_MS = 6_000
/** How long an answer waits for this broker to learn what the controller decided. */
const LEARN_TIMEOUT_MS = 3_000
/** Whoever was asked knows no controller; another broker may. */
const NO_CONTROLLER: ReadonlySet<ErrorCode> = new Set(['no-leader', 'no-quorum'])

/** Asks the controller, whichever broker that is. */
export class ControllerCalls {
  readonly #self: BrokerId
  readonly #group: MetadataGroup
  readonly #controller: Controller
  readonly #router: Router
  #asking: Promise<void> | undefined
  #askingNext: Promise<void> | undefined

  constructor(options: { self: BrokerId; group: MetadataGroup; controller: Controller; router: Router }) {
    this.#self = options.self
    this.#group = options.group
    this.#controller = options.controller
    this.#router = options.router
  }

  /** Asks for a change; resolves when this broker knows of it too, so that the next request here finds it. */
  async change(request: ControllerRequest): Promise<ControllerAnswer> {
    return this.#learned(await this.#ask(request))
  }

  /**
   * The same from a broker that the cluster does not know yet, or no more: nobody sends it heartbeats, so each voter that it knows
   * of is asked, whether it is alive or not. They pass it on: others may vote by now, and the controller may be one of those.
   */
  async introduce(request: ControllerRequest): Promise<ControllerAnswer> {
    let reason: unknown
    for (const voter of this.#group.voters) {
      if (voter === this.#self) continue
      try {
        const body = encodeJson(request)
        const answer = await this.#router.at(
          voter,
          CONTROLLER_GROUP,
          'introduction',
          body,
          CONTROLLER_TIMEOUT_MS,
        )
        return await this.#learned(decodeJson(answer) as ControllerAnswer)
      } catch (error) {
        if (error instanceof SynodError && !NO_CONTROLLER.has(error.code)) throw error
        reason = error
      }
    }
    throw new SynodError('no-leader', 'No controller answers this broker yet.', { cause: reason })
  }

  /** On behalf of a broker that knows too little of the cluster to find the controller. */
  passOn(request: ControllerRequest): Promise<ControllerAnswer> {
    return this.#ask(request)
  }

  async #learned(answer: ControllerAnswer): Promise<ControllerAnswer> {
    try {
      await this.#group.reached(answer.slot, LEARN_TIMEOUT_MS)
    } catch (error) {
      // The cluster has decided it: whatever keeps this broker from knowing, it must not be told as undone.
      throw new SynodError('outcome-unknown', 'The change is made, but this broker has not learned it yet.', {
        hint: 'Look in a moment whether it is there, or ask another broker.',
        retryAfterMs: 1_000,
        cause: error,
      })
    }
    return answer
  }

  /**
   * Asks how far the controller is, and waits until this broker is as far. Those who come while a question is under way share
   * the next one: an answer given before they asked could be too old for them.
   */
  catchUp(): Promise<void> {
    const asking = this.#asking
    if (asking === undefined) {
      this.#asking = this.#ask({ kind: 'position' })
        .then(({ slot }) => this.#group.reached(slot, LEARN_TIMEOUT_MS))
        .finally(() => (this.#asking = undefined))
      return this.#asking
    }
    this.#askingNext ??= asking
      .catch(() => {})
      .then(() => {
        this.#askingNext = undefined
        return this.catchUp()
      })
    return this.#askingNext
  }

  #ask(request: ControllerRequest): Promise<ControllerAnswer> {
    return this.#router.atLeader(
      { group: CONTROLLER_GROUP, replicas: this.#group.voters },
      {
        kind: 'controller',
        changes: changesOf(request),
        local: () => this.#controller.handle(request),
        body: () => encodeJson(request),
        decode: (answer) => decodeJson(answer) as ControllerAnswer,
      },
      CONTROLLER_TIMEOUT_MS,
    )
  }
}

/** A delete that is sent again could delete a topic that was made anew in between. */
function changesOf({ kind }: ControllerRequest): 'nothing' | 'once' | 'each-time' {
  if (kind === 'position') return 'nothing'
  return kind === 'deleteTopic' ? 'each-time' : 'once'
}
