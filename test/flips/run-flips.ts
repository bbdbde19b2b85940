import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { eventually } from '../support/eventually.ts'
import { launchBroker, type Ending, type ServedBroker } from '../support/served-broker.ts'
import { call, json, produce } from '../system/api.ts'
import { readAll } from '../system/read-all.ts'
import { Random } from '../sim/random.ts'

const TOPIC = 'ledger'
const PARTITIONS = 2
const BROKERS = [1, 2, 3] as const
/** The broker whose files are damaged. */
const VICTIM = 1
/** Between two ends of all brokers. */
const RECORDS = 15
/** Files by what they are: each kind is as likely as the others, however many bytes it has. */
type Kind = readonly [database: 'journal' | 'index', pattern: RegExp]
const JOURNAL_LOG: Kind = ['journal', /\.log$/]
const OTHER_KINDS: readonly Kind[] = [
  ['journal', /\.ldb$/],
  ['journal', /\.ldb$/],
  ['journal', /^(MANIFEST-.*|CURRENT)$/],
  ['index', /\.ldb$/],
  ['index', /\.log$/],
  ['index', /^(MANIFEST-.*|CURRENT)$/],
]
const KINDS: readonly Kind[] = [JOURNAL_LOG, ...OTHER_KINDS]

/**
 * What became of one flipped byte. `store set aside`: the broker began anew without a vote; `refused`: it said in a sentence
 * that it cannot go on with this folder.
 */
type Outcome =
  'unnoticed' | 'repaired' | 'index rebuilt' | 'store set aside' | 'refused' | 'killed by LevelDB'

export interface FlipReport {
  readonly counts: ReadonlyMap<Outcome, number>
  readonly lines: readonly string[]
}

export interface FlipOptions {
  readonly folder: string
  readonly count: number
  readonly seed: number
  readonly say?: (line: string) => void
}

/**
 * Three brokers as processes, brought back again and again from the folders they once ended with, all of them and at one moment;
 * each time with another bit flipped in the files of one. Throws when a broker ever serves something else than was
 * acknowledged, or ends in another way than it should.
 */
export async function runFlips(options: FlipOptions): Promise<FlipReport> {
  const ports = await freePorts(BROKERS.length)
  const cluster = new FlippedCluster(options.folder, new Random(options.seed), ports)
  const counts = new Map<Outcome, number>()
  const lines: string[] = []
  try {
    await cluster.makeFolders()
    for (let round = 1; round <= options.count; round++) {
      const { outcome, what } = await cluster.flipOnce()
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
      const line = `${round}  ${what}: ${outcome}`
      lines.push(line)
      options.say?.(line)
    }
  } finally {
    await cluster.endAll('SIGKILL')
  }
  return { counts, lines }
}

/** How the brokers ended whose folders are used: an index is closed by a stop, and left behind the journal by a kill. */
type End = 'SIGTERM' | 'SIGKILL'

class FlippedCluster {
  readonly #folder: string
  readonly #random: Random
  readonly #ports: readonly number[]
  readonly #running = new Map<number, ServedBroker>()
  /** Acknowledged in the folders of each kind. */
  readonly #values: Record<End, readonly string[]> = { SIGTERM: [], SIGKILL: [] }

  constructor(folder: string, random: Random, ports: readonly number[]) {
    this.#folder = folder
    this.#random = random
    this.#ports = ports
  }

  /** Folders with records in tables and logs of each database. */
  async makeFolders(): Promise<void> {
    await this.#launchAll()
    const { status } = await call(
      this.#url(2),
      `/v1/topics/${TOPIC}`,
      json('PUT', { partitions: PARTITIONS }),
    )
    assert.equal(status, 201)
    const values: string[] = []
    for (const end of ['SIGTERM', 'SIGTERM', 'SIGTERM', 'SIGKILL'] as const) {
      if (this.#running.size === 0) await this.#launchAll()
      for (let count = 0; count < RECORDS; count++) await this.#produce(values)
      await this.endAll(end)
      this.#values[end] = values.slice()
      for (const id of BROKERS) {
        rmSync(this.#kept(end, id), { recursive: true, force: true })
        cpSync(this.#dataOf(id), this.#kept(end, id), { recursive: true })
      }
    }
  }

  async flipOnce(): Promise<{ readonly outcome: Outcome; readonly what: string }> {
    const kind = this.#random.pick(KINDS)
    // The end of a log that the index has not seen is missed by nobody on this disk: only the other brokers remember.
    const end = kind === JOURNAL_LOG || this.#random.chance(0.5) ? 'SIGTERM' : 'SIGKILL'
    for (const id of BROKERS) {
      rmSync(this.#dataOf(id), { recursive: true })
      cpSync(this.#kept(end, id), this.#dataOf(id), { recursive: true })
    }
    const what = `${end} ${this.#flip(kind)}`
    const values = this.#values[end]
    const outcome = await this.#startDamaged(values, what)
    const isGone = outcome === 'refused' || outcome === 'killed by LevelDB'
    await this.#check(isGone ? [2, 3] : BROKERS, values)
    await this.endAll('SIGKILL')
    return { outcome, what }
  }

  async endAll(signal: End): Promise<void> {
    const brokers = [...this.#running.values()]
    this.#running.clear()
    for (const { pid } of brokers) process.kill(pid, signal)
    await Promise.all(brokers.map((broker) => broker.ended))
  }

  /** The others start, too, and go on whatever becomes of the victim. */
  async #startDamaged(values: readonly string[], what: string): Promise<Outcome> {
    const others = Promise.all([2, 3].map((id) => this.#launch(id)))
    const started = await this.#launch(VICTIM).then(
      () => undefined,
      (error: unknown) => String(error),
    )
    await others
    if (started !== undefined) return endingOf(started, what)
    const broker = this.#running.get(VICTIM)
    assert.ok(broker !== undefined)
    const ended = broker.ended.then((ending) => ({ ending }))
    const checked = this.#check([VICTIM], values).then(() => this.#mended())
    // A broker that has ended answers no call: then it counts how it ended.
    const first = await Promise.race([ended, checked.then((repaired) => ({ repaired }))]).catch(
      (error: unknown) => {
        throw new Error(what, { cause: error })
      },
    )
    if ('ending' in first) {
      checked.catch(() => {})
      this.#running.delete(VICTIM)
      return endingOf(describe(first.ending), what)
    }
    if (/set aside as .*damaged-/.test(broker.stderr())) return 'store set aside'
    if (first.repaired > 0) return 'repaired'
    return /rebuilt (from the journal|at the next start)/.test(broker.stderr())
      ? 'index rebuilt'
      : 'unnoticed'
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
        { timeoutMs: 20_000 },
      )
    }
  }

  /** Nothing that was read is damaged any more; how many entries were mended. */
  async #mended(): Promise<number> {
    return await eventually(
      async () => {
        const { body } = await call(this.#url(VICTIM), '/metrics')
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

  /** Flips one bit of one of the victim's files and says which. */
  #flip(first: Kind): string {
    const random = this.#random
    for (let kind = first; ; kind = random.pick(OTHER_KINDS)) {
      const [database, pattern] = kind
      const folder = join(this.#dataOf(VICTIM), database)
      const names = readdirSync(folder).filter(
        (name) => pattern.test(name) && statSync(join(folder, name)).size > 0,
      )
      if (names.length === 0) continue
      const name = random.pick(names)
      const bytes = readFileSync(join(folder, name))
      const at = random.integer(bytes.length)
      const bit = random.integer(8)
      bytes[at] = bytes[at]! ^ (1 << bit)
      writeFileSync(join(folder, name), bytes)
      return `${database}/${name} bit ${bit} of byte ${at} of ${bytes.length}`
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
    await Promise.all(BROKERS.map((id) => this.#launch(id)))
  }

  async #launch(id: number): Promise<void> {
    const seeds = BROKERS.map((seed) => `${seed}=127.0.0.1:${this.#ports[seed - 1]}`).join(',')
    const port = String(this.#ports[id - 1])
    const args = ['--broker-id', String(id), '--internal-port', port, '--seeds', seeds]
    this.#running.set(id, await launchBroker(this.#dataOf(id), args))
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

function describe({ code, signal, stderr }: Ending): string {
  return `The broker ended with code ${code}, signal ${signal}:\n${stderr}`
}

/** A broker that ends has said why, or LevelDB has found its files contradicting each other and ended the process. */
function endingOf(text: string, what: string): Outcome {
  if (text.includes('signal SIGABRT') || text.includes('signal SIGSEGV')) return 'killed by LevelDB'
  assert.match(text, /code 73/, what)
  return 'refused'
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
