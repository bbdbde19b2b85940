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
const FIRST_RECORDS = 40
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

/** What became of one flipped byte. `refused`: the broker said in a sentence that it cannot go on with this folder. */
type Outcome = 'unnoticed' | 'repaired' | 'index rebuilt' | 'refused' | 'killed by LevelDB'

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
 * Three brokers as processes; again and again one of them is ended, one bit of its files is flipped, and it is started again.
 * Throws when any broker ever serves something else than was acknowledged, or ends in another way than it should.
 */
export async function runFlips(options: FlipOptions): Promise<FlipReport> {
  const cluster = new FlippedCluster(
    options.folder,
    new Random(options.seed),
    await freePorts(BROKERS.length),
  )
  const counts = new Map<Outcome, number>()
  const lines: string[] = []
  try {
    await cluster.start()
    for (let round = 1; round <= options.count; round++) {
      const { outcome, what } = await cluster.flipOnce()
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
      const line = `${round}  ${what}: ${outcome}`
      lines.push(line)
      options.say?.(line)
    }
    await cluster.checkAll()
  } finally {
    await cluster.stop()
  }
  return { counts, lines }
}

class FlippedCluster {
  readonly #folder: string
  readonly #random: Random
  readonly #ports: readonly number[]
  readonly #running = new Map<number, ServedBroker>()
  readonly #values: string[] = []

  constructor(folder: string, random: Random, ports: readonly number[]) {
    this.#folder = folder
    this.#random = random
    this.#ports = ports
  }

  /** The cluster with its first records, in tables and logs of each database. */
  async start(): Promise<void> {
    await Promise.all(BROKERS.map((id) => this.#launch(id)))
    const { status } = await call(
      this.#url(2),
      `/v1/topics/${TOPIC}`,
      json('PUT', { partitions: PARTITIONS }),
    )
    assert.equal(status, 201)
    for (let count = 0; count < FIRST_RECORDS; count++) await this.#produce()
    // What a start finds in logs becomes tables.
    for (let times = 0; times < 2; times++) {
      await this.#end('SIGTERM')
      await this.#launch(VICTIM)
      for (let count = 0; count < FIRST_RECORDS / 4; count++) await this.#produce()
    }
  }

  async flipOnce(): Promise<{ readonly outcome: Outcome; readonly what: string }> {
    await this.#produce()
    const kind = this.#random.pick(KINDS)
    // The end of a log that the index has not seen is missed by nobody on this disk: only the other brokers remember.
    const signal = kind === JOURNAL_LOG || this.#random.chance(0.5) ? 'SIGTERM' : 'SIGKILL'
    await this.#end(signal)
    const before = `${this.#dataOf(VICTIM)}.before`
    rmSync(before, { recursive: true, force: true })
    cpSync(this.#dataOf(VICTIM), before, { recursive: true })
    const what = `${signal} ${this.#flip(kind)}`
    const outcome = await this.#startDamaged(what)
    if (outcome === 'refused' || outcome === 'killed by LevelDB') {
      // The very folder that it ended with: it has promised nothing since.
      await this.#end('SIGKILL')
      rmSync(this.#dataOf(VICTIM), { recursive: true })
      cpSync(before, this.#dataOf(VICTIM), { recursive: true })
      await this.#check([2, 3])
      await this.#launch(VICTIM)
    }
    return { outcome, what }
  }

  async checkAll(): Promise<void> {
    await this.#check(BROKERS)
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running.values()].map((broker) => broker.stop()))
  }

  async #startDamaged(what: string): Promise<Outcome> {
    const started = await this.#launch(VICTIM).then(
      () => undefined,
      (error: unknown) => String(error),
    )
    if (started !== undefined) return endingOf(started, what)
    const broker = this.#running.get(VICTIM)
    assert.ok(broker !== undefined)
    const ended = broker.ended.then((ending) => ({ ending }))
    const checked = this.#check([VICTIM]).then(() => this.#mended())
    // An ended broker answers no call: then how it ended is what counts.
    checked.catch(() => {})
    const first = await Promise.race([ended, checked.then((repaired) => ({ repaired }))]).catch(
      async (error: unknown) => {
        const late = await Promise.race([ended, pause(2_000)])
        if (late === undefined) throw new Error(what, { cause: error })
        return late
      },
    )
    if ('ending' in first) {
      this.#running.delete(VICTIM)
      return endingOf(describe(first.ending), what)
    }
    if (first.repaired > 0) return 'repaired'
    return /rebuilt (from the journal|at the next start)/.test(broker.stderr())
      ? 'index rebuilt'
      : 'unnoticed'
  }

  /** Every record is served at its offset, by each of these brokers from its own disk or, where that is damaged, all the same. */
  async #check(ids: readonly number[]): Promise<void> {
    for (const id of ids) {
      await eventually(
        async () => {
          const stored = await readAll(this.#url(id), TOPIC, PARTITIONS)
          const read = new Set(stored.map(({ value }) => value))
          const lost = this.#values.filter((value) => !read.has(value)).map((value) => value.slice(0, 20))
          assert.deepEqual(lost, [], `Broker ${id} serves all that was acknowledged.`)
          assert.equal(stored.length, this.#values.length, `Broker ${id} serves each record once.`)
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

  async #produce(): Promise<void> {
    const value = `record ${this.#values.length} ${'x'.repeat(this.#random.integer(2_000))}`
    await eventually(
      async () => {
        const headers = { 'idempotency-key': `k${this.#values.length}` }
        assert.equal((await produce(this.#url(2), TOPIC, value, headers)).status, 201)
      },
      { timeoutMs: 20_000 },
    )
    this.#values.push(value)
  }

  async #launch(id: number): Promise<void> {
    const seeds = BROKERS.map((seed) => `${seed}=127.0.0.1:${this.#ports[seed - 1]}`).join(',')
    const port = String(this.#ports[id - 1])
    const args = ['--broker-id', String(id), '--internal-port', port, '--seeds', seeds]
    this.#running.set(id, await launchBroker(this.#dataOf(id), args))
  }

  async #end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const broker = this.#running.get(VICTIM)
    if (broker === undefined) return
    this.#running.delete(VICTIM)
    process.kill(broker.pid, signal)
    await broker.ended
  }

  #dataOf(id: number): string {
    return join(this.#folder, `broker-${id}`)
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

function pause(delayMs: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), delayMs))
}
