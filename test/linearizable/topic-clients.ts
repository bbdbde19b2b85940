import type { Random } from '../sim/random.ts'
import { ask, type Client } from './client.ts'
import type { History, Told } from './history.ts'

/** Topics of one name for so many operations; then the next name, so that no history becomes too long to check. */
const OPERATIONS_PER_NAME = 150

/** Creates, deletes and looks up topics that others create, delete and look up at the same time. */
export class TopicClients {
  readonly #history: History
  readonly #options: { readonly urls: readonly string[]; readonly random: Random; readonly names: number }
  /** Operations on each of the names that are in use, and how often the name was replaced by a new one. */
  readonly #used: { count: number; turn: number }[]
  #isOver = false

  constructor(
    history: History,
    options: { readonly urls: readonly string[]; readonly random: Random; readonly names: number },
  ) {
    this.#history = history
    this.#options = options
    this.#used = Array.from({ length: options.names }, () => ({ count: 0, turn: 0 }))
  }

  stop(): void {
    this.#isOver = true
  }

  /** One client after another operation, until all are told to stop. */
  async run(client: Client): Promise<void> {
    const { random } = this.#options
    while (!this.#isOver) {
      const name = this.#nameFor(random.integer(this.#used.length))
      const url = random.pick(this.#options.urls)
      const callNs = this.#history.nowNs()
      const told = await operate(random.pick(['create', 'delete', 'get', 'get'] as const), url, name)
      // An outcome that nobody knows stays with its client for ever, and a client does one thing at a time.
      if (told !== undefined) this.#history.add(name, client.next(told), callNs, told)
      if (told === undefined || told.outcome === 'unknown') await client.rest()
    }
  }

  #nameFor(place: number): string {
    const used = this.#used[place]!
    if (++used.count > OPERATIONS_PER_NAME) Object.assign(used, { count: 1, turn: used.turn + 1 })
    return `name-${place}-${used.turn}`
  }
}

/** Undefined: nothing happened, for certain. */
async function operate(
  action: 'create' | 'delete' | 'get',
  url: string,
  name: string,
): Promise<Told | undefined> {
  const path = `${url}/v1/topics/${name}`
  const answer =
    action === 'create'
      ? await ask(path, { method: 'PUT' })
      : action === 'delete'
        ? await ask(path, { method: 'DELETE' })
        : await ask(`${path}?linearizable=true`, {})
  if (answer === 'unknown') return action === 'get' ? undefined : { action, outcome: 'unknown' }
  const { status, body } = answer
  const id = String(body['id'])
  if (action === 'create' && status === 201) return { action, outcome: 'created', id }
  if (action === 'create' && status === 200) return { action, outcome: 'existed', id }
  if (action === 'delete' && status === 204) return { action, outcome: 'done' }
  if (action === 'get' && status === 200) return { action, outcome: 'found', id }
  if (action !== 'create' && status === 404) return { action, outcome: 'absent' }
  if (body['sideEffects'] === 'none') return undefined
  if (action !== 'get' && body['sideEffects'] === 'possible') return { action, outcome: 'unknown' }
  throw new Error(`${action} of '${name}' was answered with ${status} ${JSON.stringify(body)}`)
}
