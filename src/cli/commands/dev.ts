import { resolve } from 'node:path'
import { Option } from 'commander'
import type { Command } from 'commander'
import { CommandError, EXIT } from '../exit-codes.ts'
import { lockFolder } from '../dev/folder-lock.ts'
import { forgetBroker, prepareCluster } from '../dev/prepare.ts'
import { brokerSpecs } from '../dev/specs.ts'
import { Supervisor } from '../dev/supervisor.ts'
import type { BrokerEvent, RunningProcess } from '../dev/supervisor.ts'
import { watchCluster } from '../dev/watch.ts'
import { welcomeText } from '../dev/welcome.ts'
import { call } from '../http.ts'
import type { Output } from '../output.ts'
import { wholeNumber } from '../whole-number.ts'

interface DevOptions {
  readonly brokers?: number
  readonly port?: number
  readonly host: string
  readonly data: string
  readonly memory?: string
  readonly json?: boolean
  readonly restart: boolean
}

const RESTART_DELAY_MS = 5_000
const KILL_AFTER_MS = 10_000
const READY_TIMEOUT_MS = 30_000
const SECOND_SIGNAL_AFTER_MS = 500

export function addCommand(program: Command, output: Output): void {
  program
    .command('dev')
    .description('run a whole cluster on this machine, each broker a process of its own')
    .option(
      '--brokers <count>',
      'number of brokers; more than there are adds new ones (default: 3)',
      wholeNumber,
    )
    .option(
      '--port <port>',
      'public port of the first broker, the next ones follow; 0: any free ones (default: 8080)',
      wholeNumber,
    )
    .addOption(new Option('--host <host>', 'address that clients reach').default('127.0.0.1'))
    .option('--data <folder>', 'where the cluster lives', './data')
    .option('--memory <size>', 'what each broker may take, as 512MiB (default: 1GiB)')
    .option('--json', 'print JSON lines for programs')
    .option('--no-restart', 'leave a broker that ended as it is')
    .action((options: DevOptions) => dev(options, output))
}

/** Runs until Ctrl-C or SIGTERM. Whatever is between throws after all brokers are stopped. */
async function dev(options: DevOptions, output: Output): Promise<void> {
  const folder = resolve(options.data)
  const lock = await lockFolder(folder)
  try {
    const { cluster, notes } = await prepareCluster(folder, options)
    notes.forEach((text) => output.note(text))
    const teller = options.json === true ? jsonTeller(output) : textTeller(output, options)
    const supervisor = new Supervisor(brokerSpecs(folder, cluster, options), {
      restartDelayMs: options.restart ? RESTART_DELAY_MS : undefined,
      killAfterMs: KILL_AFTER_MS,
      onEvent: (event) => {
        if (event.kind === 'removed') forgetBroker(folder, event.id)
        teller.event(event, supervisor.running)
      },
    })
    const stopAsked = stopRequest(() => supervisor.kill())
    try {
      const isUp = await Promise.race([bringUp(supervisor), stopAsked.then(() => false)])
      if (!isUp) return
      teller.ready(supervisor.running)
      const watch = watchCluster(() => supervisor.running.map(({ url }) => url), {
        everyMs: 1_000,
        onChange: (change) => teller.change(change),
      })
      await stopAsked
      watch.stop()
    } finally {
      await supervisor.stop()
    }
  } finally {
    await lock.release()
  }
}

async function bringUp(supervisor: Supervisor): Promise<boolean> {
  await supervisor.start()
  const deadline = performance.now() + READY_TIMEOUT_MS
  await Promise.all(supervisor.running.map(({ id, url }) => waitUntilReady(id, url, deadline)))
  return true
}

/** A broker that serves may still look for its cluster. */
async function waitUntilReady(id: string, url: string, deadline: number): Promise<void> {
  for (;;) {
    try {
      await call(url, 'readyz', { timeoutMs: 1_000 })
      return
    } catch (error) {
      if (performance.now() >= deadline) {
        const why = error instanceof Error ? error.message : String(error)
        throw new CommandError(
          EXIT.unavailable,
          `Broker ${id} is not ready after ${READY_TIMEOUT_MS / 1_000} s: ${why}`,
          {
            cause: error,
          },
        )
      }
    }
    await new Promise((retry) => setTimeout(retry, 50))
  }
}

/** Resolves at the first wish to stop; the second one ends everything at once. */
function stopRequest(onSecond: () => void): Promise<void> {
  let firstAtMs: number | undefined
  return new Promise((asked) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        // Ctrl-C may come twice at once: from the terminal, and passed on by npm.
        if (firstAtMs !== undefined && performance.now() - firstAtMs > SECOND_SIGNAL_AFTER_MS) onSecond()
        firstAtMs ??= performance.now()
        asked()
      })
    }
  })
}

interface Teller {
  ready(running: readonly RunningProcess[]): void
  event(event: BrokerEvent, running: readonly RunningProcess[]): void
  change(change: string): void
}

/** Each line is an object; those with `brokers` hold the processes that run now. */
function jsonTeller(output: Output): Teller {
  let isReady = false
  const say = (line: object): void => output.line(JSON.stringify(line))
  return {
    ready(brokers) {
      isReady = true
      say({ ready: true, brokers })
    },
    event(event, brokers) {
      if (isReady) say({ event: event.kind, id: event.id, pid: event.pid, brokers })
    },
    change(change) {
      say({ event: 'changed', change })
    },
  }
}

function textTeller(output: Output, options: DevOptions): Teller {
  let isReady = false
  const say = (text: string): void => output.line(`${new Date().toLocaleTimeString('en-GB')}  ${text}`)
  return {
    ready(running) {
      isReady = true
      output.line(welcomeText(running, options.data))
    },
    event(event) {
      // What happens before that is told by the command's own success or failure.
      if (!isReady) return
      if (event.kind === 'ready') return say(`broker ${event.id} is back (pid ${event.pid})`)
      if (event.kind === 'removed')
        return say(`broker ${event.id} (pid ${event.pid}) was removed from the cluster`)
      const next = options.restart ? `; it is started again in ${RESTART_DELAY_MS / 1_000} s` : ''
      say(`broker ${event.id} (pid ${event.pid}) has ended: ${event.reason}${next}`)
    },
    change: say,
  }
}
