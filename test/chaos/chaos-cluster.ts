import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../../src/cli/dev/ports.ts'
import { invariant } from '../../src/types/invariant.ts'
import { MAIN } from '../support/dev-cluster.ts'
import { ShimmedDisk } from './disk/disk-shim.ts'
import type { LinkFault } from './link.ts'
import { Network } from './network.ts'

interface Broker {
  readonly id: number
  readonly url: string
  readonly args: readonly string[]
  readonly logFile: string
  /** Undefined where the processes run on the system's disk as it is. */
  readonly disk: ShimmedDisk | undefined
  readonly dataFolder: string
  /** It may end itself, because its disk fails. */
  mayFail: boolean
  /** Its files were damaged once: it may find so at any time after, and end itself. */
  isDamaged: boolean
  /** A fault wants it to be down. */
  isHeldDown: boolean
  child: ChildProcess | undefined
}

/** What a broker ends with when its disk fails or is damaged (docs/operations.md). */
const DISK_FAILED_EXIT_CODE = 73
/** By these LevelDB ends a process whose files contradict each other. */
const DAMAGE_SIGNALS: readonly (NodeJS.Signals | null)[] = ['SIGABRT', 'SIGSEGV']

export interface ChaosClusterOptions {
  readonly folder: string
  readonly brokers: number
  /** The library by which disks can be spoiled. */
  readonly diskShim?: string | undefined
  /** More of them, each with its value, for all brokers. */
  readonly flags?: Readonly<Record<string, string>>
}

/** A broker that ended though nobody ended it. */
export interface UnexpectedEnd {
  readonly broker: number
  readonly reason: string
}

/**
 * Brokers as real processes, started with `synod serve`. The address that each has in the seeds, and so in the metadata, is
 * that of a proxy before it: brokers reach each other only over links that can be spoiled; clients reach them directly.
 */
export class ChaosCluster {
  /** Processes that ended by themselves. */
  readonly unexpectedEnds: UnexpectedEnd[] = []
  readonly #brokers: readonly Broker[]
  readonly #network: Network
  readonly #secret = randomBytes(32).toString('hex')
  #isOver = false

  static async start(options: ChaosClusterOptions): Promise<ChaosCluster> {
    const ports = await freePorts(3 * options.brokers, '127.0.0.1', new Set())
    const cluster = new ChaosCluster(options, ports)
    try {
      await Promise.all(cluster.ids.map((id) => cluster.launch(id)))
      await Promise.all(cluster.#brokers.map((broker) => readiness(broker)))
    } catch (error) {
      await cluster.stop()
      throw error
    }
    return cluster
  }

  private constructor(
    { folder, brokers: count, diskShim, flags = {} }: ChaosClusterOptions,
    ports: readonly number[],
  ) {
    const ids = Array.from({ length: count }, (_, index) => index + 1)
    const port = (id: number, which: 0 | 1 | 2): number => ports[(id - 1) * 3 + which]!
    this.#network = new Network(ids.map((id) => ({ id, port: port(id, 2), targetPort: port(id, 1) })))
    const seeds = ids.map((id) => `${id}=127.0.0.1:${port(id, 2)}`).join(',')
    this.#brokers = ids.map((id) => {
      const dataFolder = join(folder, `broker-${id}`)
      mkdirSync(dataFolder, { recursive: true })
      const settings = {
        '--broker-id': String(id),
        '--data-folder': dataFolder,
        '--public-port': String(port(id, 0)),
        '--internal-port': String(port(id, 1)),
        '--seeds': seeds,
        ...flags,
      }
      return {
        id,
        url: `http://127.0.0.1:${port(id, 0)}`,
        args: ['--disable-proto=delete', MAIN, 'serve', '--ready-json', ...Object.entries(settings).flat()],
        logFile: join(folder, `broker-${id}.log`),
        disk:
          diskShim === undefined
            ? undefined
            : new ShimmedDisk(diskShim, join(folder, `disk-${id}`), dataFolder),
        dataFolder,
        mayFail: false,
        isDamaged: false,
        isHeldDown: false,
        child: undefined,
      }
    })
    process.once('exit', this.#killAll)
  }

  get ids(): readonly number[] {
    return this.#brokers.map(({ id }) => id)
  }

  get urls(): readonly string[] {
    return this.#brokers.map(({ url }) => url)
  }

  urlOf(id: number): string {
    return this.#broker(id).url
  }

  /** Where a broker has its data. */
  dataFolderOf(id: number): string {
    return this.#broker(id).dataFolder
  }

  isRunning(id: number): boolean {
    return this.#broker(id).child !== undefined
  }

  /** Starts the process if it does not run. */
  async launch(id: number): Promise<void> {
    const broker = this.#broker(id)
    broker.isHeldDown = false
    if (broker.child !== undefined || this.#isOver) return
    const others = Object.entries(process.env).filter(([name]) => !name.startsWith('SYNOD_'))
    const log = openSync(broker.logFile, 'a')
    const child = spawn(process.execPath, broker.args, {
      env: {
        UV_THREADPOOL_SIZE: '8',
        ...Object.fromEntries(others),
        ...broker.disk?.environment,
        SYNOD_CLUSTER_SECRET: this.#secret,
      },
      stdio: ['pipe', 'pipe', log],
    })
    closeSync(log)
    child.stdin?.on('error', () => undefined)
    broker.child = child
    child.once('exit', (code, signal) => {
      broker.child = undefined
      if (!this.#isOver) this.#network.refuse(id).catch(() => undefined)
      const isOfDisk = (broker.mayFail || broker.isDamaged) && code === DISK_FAILED_EXIT_CODE
      const isOfDamage = broker.isDamaged && DAMAGE_SIGNALS.includes(signal)
      if (!this.#isOver && !child.killed && !isOfDisk && !isOfDamage)
        this.unexpectedEnds.push({ broker: id, reason: `exit code ${code}, signal ${signal}` })
    })
    await this.#network.open(id)
  }

  /** Starts a broker that ended by itself, or was asked to end; not one that a fault wants to be down. */
  async revive(id: number): Promise<void> {
    if (!this.#broker(id).isHeldDown) await this.launch(id)
  }

  /** Whoever revives it starts it again. */
  askToEnd(id: number): void {
    this.#broker(id).child?.kill('SIGTERM')
  }

  /** Resolves when the process is gone; at once if there is none. It stays down until it is launched. */
  async end(id: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const broker = this.#broker(id)
    const { child } = broker
    broker.isHeldDown = true
    if (child === undefined) return
    const gone = once(child, 'exit')
    child.kill(signal)
    await gone
  }

  pause(id: number): void {
    trySignal(this.#broker(id).child?.pid, 'SIGSTOP')
  }

  resume(id: number): void {
    trySignal(this.#broker(id).child?.pid, 'SIGCONT')
  }

  /** The disk of a broker. It is there only where the cluster was started with a shim. */
  disk(id: number): ShimmedDisk {
    const { disk } = this.#broker(id)
    invariant(disk !== undefined, `The disk of broker ${id} cannot be spoiled.`)
    return disk
  }

  /** Whether the broker may end itself because of its disk. */
  allowDiskFailure(id: number, isAllowed: boolean): void {
    this.#broker(id).mayFail = isAllowed
  }

  /** Its files are about to be damaged: from now on it may end itself because of that. */
  allowDamage(id: number): void {
    this.#broker(id).isDamaged = true
  }

  spoil(from: number, to: number, fault: LinkFault): Promise<void> {
    return this.#network.spoil(from, to, fault)
  }

  mend(from: number, to: number, fault: LinkFault): Promise<void> {
    return this.#network.mend(from, to, fault)
  }

  /** Resident memory in MiB of the process; undefined where the system does not tell or the process is gone. */
  memoryOf(id: number): { readonly pid: number; readonly mib: number } | undefined {
    const pid = this.#broker(id).child?.pid
    if (pid === undefined) return undefined
    try {
      const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
      return kib === undefined ? undefined : { pid, mib: Number(kib) / 1_024 }
    } catch {
      return undefined
    }
  }

  /** Ends every process and closes every socket. */
  async stop(): Promise<void> {
    this.#isOver = true
    process.off('exit', this.#killAll)
    for (const id of this.ids) this.resume(id)
    await Promise.all(this.ids.map((id) => this.end(id, 'SIGKILL')))
    await this.#network.close()
  }

  readonly #killAll = (): void => {
    for (const { child } of this.#brokers) trySignal(child?.pid, 'SIGKILL')
  }

  #broker(id: number): Broker {
    const broker = this.#brokers[id - 1]
    invariant(broker !== undefined, `There is no broker ${id}.`)
    return broker
  }
}

/** Resolves with the first line that says so. */
async function readiness({ child, id, logFile }: Broker): Promise<void> {
  invariant(child?.stdout, 'A broker that was launched has an output.')
  let text = ''
  for await (const chunk of child.stdout) {
    text += String(chunk)
    if (text.includes('"ready":true')) return void child.stdout.resume()
  }
  throw new Error(`Broker ${id} did not start, see ${logFile}: ${text}`)
}

function trySignal(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch {
    // It has ended by itself meanwhile, which its exit tells.
  }
}
