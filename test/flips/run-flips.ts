import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { launchBroker, type Ending, type ServedBroker } from '../support/served-broker.ts'
import { call, json, produce } from '../system/api.ts'
import { readAll } from '../system/read-all.ts'
import { Random } from '../sim/random.ts'
import type { Flip, Outcome } from './atlas.ts'
import { flipIn, KINDS } from './kinds.ts'

const TOPIC = 'ledger'
const PARTITIONS = 2
/** Between two ends of all brokers. */
const RECORDS = 15
/** Starts within which a damaged broker has to be well, as the manual says: one that ends is started again. */
const STARTS_MAX = 3

export interface FlipOptions {
  readonly folder: string
  /** Flipped bits, all in all. */
  readonly count: number
  readonly seed: number
  /** Brokers damaged at once, a minority: 1 of three or 2 of five. */
  readonly victims: 1 | 2
  readonly say?: (line: string) => void
}

/**
 * Some brokers as processes, brought back again and again from the folders they once ended with, all of them and at one moment;
 * each time with another bit flipped in the files of a minority. A broker that serves something else than was acknowledged,
 * or does not come back as the manual says, is counted as wrong; all others have to serve everything as well.
 */
export async function runFlips(options: FlipOptions): Promise<readonly Flip[]> {
  const { folder, count, seed, victims, say } = options
  const ports = await freePorts(victims * 2 + 1)
  const cluster = new FlippedCluster(folder, new Random(seed), ports)
  const flips: Flip[] = []
  try {
    await cluster.makeFolders()
    while (flips.length < count) {
      const made = await cluster.flipOnce(Math.min(victims, count - flips.length), flips.length)
      for (const flip of made) {
        flips.push(flip)
        say?.(`${flips.length}  ${flip.what}: ${flip.outcome}`)
      }
    }
  } finally {
    await cluster.endAll('SIGKILL')
  }
  return flips
}

/** How the brokers ended whose folders are used: an index is closed by a stop, and left behind the journal by a kill. */
type End = 'SIGTERM' | 'SIGKILL'

/** A broker with a flipped bit, and what it said of it in all its starts. */
interface Victim {
  readonly id: number
  readonly kind: string
  readonly what: string
  starts: number
  said: string
}

class FlippedCluster {
  readonly #folder: string
  readonly #random: Random
  readonly #ports: readonly number[]
  readonly #ids: readonly number[]
  readonly #running = new Map<number, ServedBroker>()
  readonly #starting = new Set<Promise<ServedBroker>>()
  #isEnding = false
  /** Acknowledged in the folders of each kind. */
  readonly #values: Record<End, readonly string[]> = { SIGTERM: [], SIGKILL: [] }

  constructor(folder: string, random: Random, ports: readonly number[]) {
    this.#folder = folder
    this.#random = random
    this.#ports = ports
    this.#ids = ports.map((_, at) => at + 1)
  }

  /** Folders with records in tables and logs of each database. */
  async makeFolders(): Promise<void> {
    await this.#launchAll()
    const { status } = await call(
      this.#url(2),
      `/v1/topics/${TOPIC}`,
      json('PUT', { partitions: PARTITIONS, replicationFactor: this.#ids.length }),
    )
    assert.equal(status, 201)
    const values: string[] = []
    for (const end of ['SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGKILL'] as const) {
      if (this.#running.size === 0) await this.#launchAll()
      for (let count = 0; count < RECORDS; count++) await this.#produce(values)
      assert.deepEqual(await this.endAll(end), [], 'No broker has ended by itself.')
      this.#values[end] = values.slice()
      for (const id of this.#ids) {
        rmSync(this.#kept(end, id), { recursive: true, force: true })
        cpSync(this.#dataOf(id), this.#kept(end, id), { recursive: true })
      }
    }
  }

  /** Damages that many brokers, and asks all of them for everything. `before`: bits flipped so far, which choose the files. */
  async flipOnce(victimCount: number, before: number): Promise<readonly Flip[]> {
    const kinds = Array.from({ length: victimCount }, (_, at) => KINDS[(before + at) % KINDS.length]!)
    const end = kinds.some(({ needsStop }) => needsStop) || this.#random.chance(0.5) ? 'SIGTERM' : 'SIGKILL'
    for (const id of this.#ids) {
      rmSync(this.#dataOf(id), { recursive: true })
      cpSync(this.#kept(end, id), this.#dataOf(id), { recursive: true })
    }
    const victims = kinds.map(({ name }, at) => this.#flip(at + 1, name, end))
    const values = this.#values[end]
    this.#isEnding = false
    const runs = victims.map((victim) => this.#runDamaged(victim))
    try {
      const others = this.#ids.slice(victimCount).map((id) => this.#launch(id))
      // Each is waited for, so that what went wrong with one is not taken for a fault of another.
      const [settled] = await Promise.all([
        Promise.allSettled(victims.map((victim, at) => this.#checkDamaged(victim, runs[at]!, values))),
        Promise.all(others),
      ])
      const flips = victims.map((victim, at) => flipOf(victim, settled[at]!))
      const isWrong = flips.some(({ outcome }) => outcome === 'wrong')
      if (isWrong) return flips
      await Promise.race([this.#check(this.#ids, values), ...runs])
      const ended = await this.endAll('SIGKILL')
      assert.deepEqual(
        ended.filter((id) => id > victimCount),
        [],
        'Only damaged brokers end by themselves.',
      )
      await Promise.all(runs)
      return flips
    } catch (error) {
      return victims.map(({ kind, what }) => ({ kind, what: `${what}: ${String(error)}`, outcome: 'wrong' }))
    } finally {
      await this.endAll('SIGKILL')
      await Promise.allSettled(runs)
    }
  }

  /** Ends all that run, also those that are just being started; which of them had ended by themselves. */
  async endAll(signal: End): Promise<readonly number[]> {
    this.#isEnding = true
    await Promise.allSettled(this.#starting)
    const running = [...this.#running]
    const ended = running.filter(([, broker]) => !broker.kill(signal)).map(([id]) => id)
    await Promise.all(running.map(([, broker]) => broker.ended))
    this.#running.clear()
    return ended
  }

  /** Runs a damaged broker until `endAll`: as the manual says, one that ends has to say why, and is started again. */
  async #runDamaged(victim: Victim): Promise<void> {
    while (victim.starts < STARTS_MAX && !this.#isEnding) {
      victim.starts++
      const started = await this.#launch(victim.id).catch((error: unknown) => String(error))
      if (typeof started === 'string') {
        assertSaid(started)
        victim.said += started
        continue
      }
      const ending = await started.ended
      victim.said += ending.stderr
      if (ending.signal === 'SIGKILL') return
      this.#running.delete(victim.id)
      assertSaid(describe(ending))
    }
    if (!this.#isEnding) throw new Error(`The broker ended ${STARTS_MAX} times.\n${victim.said}`)
  }

  /** The damaged broker serves everything and has nothing left to mend, or what it said when it did not. */
  async #checkDamaged(victim: Victim, run: Promise<void>, values: readonly string[]): Promise<Outcome> {
    const checked = this.#check([victim.id], values).then(() => this.#mended(victim.id))
    const repaired = await Promise.race([checked, run])
    const said = victim.said + (this.#running.get(victim.id)?.stderr() ?? '')
    return outcomeOf(said, { repaired: repaired ?? 0, starts: victim.starts })
  }

  /** Every record is served, by each of these brokers from its own disk or, where that is damaged, all the same. */
  async #check(ids: readonly number[], values: readonly string[]): Promise<void> {
    for (const id of ids) {
      await eventually(
        async () => {
          const stored = await readAll(this.#url(id), TOPIC, PARTITIONS)
          const read = new Set(stored.map(({ value }) => value))
          const lost = values.filter((value) => !read.has(value)).map((value) => value.slice(0, 20))
          assert.deepEqual(lost, [], `Broker ${id} serves all that was acknowledged.`)
          assert.equal(stored.length, values.length, `Broker ${id} serves each record once.`)
        },
        { timeoutMs: 40_000 },
      )
    }
  }

  /** Nothing that was read is damaged any more; how many entries were mended. */
  async #mended(id: number): Promise<number> {
    return await eventually(
      async () => {
        const { body } = await call(this.#url(id), '/metrics')
        const read = (name: string): number => {
          const line = new RegExp(`^synod_${name} (\\d+)$`, 'm').exec(String(body['text']))
          return Number(line?.[1] ?? NaN)
        }
        assert.equal(read('damaged_entries'), 0)
        return read('repaired_entries_total')
      },
      { timeoutMs: 20_000 },
    )
  }

  /** Flips one bit in a file of this kind, or of the next kind of which there is one. */
  #flip(id: number, kindName: string, end: End): Victim {
    const first = KINDS.findIndex(({ name }) => name === kindName)
    for (let step = 0; ; step++) {
      const kind = KINDS[(first + step) % KINDS.length]!
      if (kind.needsStop && end === 'SIGKILL') continue
      const what = flipIn(this.#dataOf(id), kind, this.#random)
      if (what !== undefined) {
        return { id, kind: kind.name, what: `${end} broker ${id} ${what}`, starts: 0, said: '' }
      }
    }
  }

  async #produce(values: string[]): Promise<void> {
    const value = `record ${values.length} ${'x'.repeat(this.#random.integer(2_000))}`
    await eventually(
      async () => {
        const headers = { 'idempotency-key': `k${values.length}` }
        assert.equal((await produce(this.#url(2), TOPIC, value, headers)).status, 201)
      },
      { timeoutMs: 20_000 },
    )
    values.push(value)
  }

  async #launchAll(): Promise<void> {
    await Promise.all(this.#ids.map((id) => this.#launch(id)))
  }

  async #launch(id: number): Promise<ServedBroker> {
    const seeds = this.#ids.map((seed) => `${seed}=127.0.0.1:${this.#ports[seed - 1]}`).join(',')
    const port = String(this.#ports[id - 1])
    const args = ['--broker-id', String(id), '--internal-port', port, '--seeds', seeds]
    const starting = launchBroker(this.#dataOf(id), args)
    this.#starting.add(starting)
    try {
      const broker = await starting
      this.#running.set(id, broker)
      return broker
    } finally {
      this.#starting.delete(starting)
    }
  }

  #dataOf(id: number): string {
    return join(this.#folder, `broker-${id}`)
  }

  #kept(end: End, id: number): string {
    return join(this.#folder, `kept-${end}-${id}`)
  }

  #url(id: number): string {
    const broker = this.#running.get(id)
    assert.ok(broker !== undefined, `Broker ${id} does not run.`)
    return broker.url
  }
}

function flipOf({ kind, what }: Victim, result: PromiseSettledResult<Outcome>): Flip {
  if (result.status === 'fulfilled') return { kind, what, outcome: result.value }
  return { kind, what: `${what}: ${String(result.reason)}`, outcome: 'wrong' }
}

function describe({ code, signal, stderr }: Ending): string {
  return `The broker ended with code ${code}, signal ${signal}:\n${stderr}`
}

function outcomeOf(
  said: string,
  { repaired, starts }: { readonly repaired: number; readonly starts: number },
): Outcome {
  if (/set aside as .*damaged-/.test(said)) return 'given up'
  if (starts > 1) return 'restarted'
  if (repaired > 0) return 'repaired'
  return /rebuilt (from the journal|at the next start)/.test(said) ? 'index rebuilt' : 'harmless'
}

/** A broker that ends has said why, or LevelDB has found its files contradicting each other and ended the process. */
function assertSaid(text: string): void {
  if (/signal SIG(ABRT|SEGV)/.test(text)) return
  assert.match(text, /code 73/)
}

/** Ports that were free a moment ago: seeds need addresses before anybody listens. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports = await Promise.all(
    servers.map(
      (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => {
            const address = server.address()
            resolve(typeof address === 'object' && address !== null ? address.port : 0)
          }),
        ),
    ),
  )
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}
