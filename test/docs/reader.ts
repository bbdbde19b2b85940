import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MAIN } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { tempDir } from '../support/temp-dir.ts'
import { Browser } from './browser.ts'
import { isAsShown, type Snippet } from './snippets.ts'

const WSCAT = fileURLToPath(new URL('wscat.js', import.meta.url))
const ANSWER_TIMEOUT_MS = 30_000
/** What changes something; a snippet without any of these may be asked again until the replicas have caught up. */
const CHANGES = / -d | -X | -T | --data|kill |produce|create|delete|move/
const BROKER = /broker (\d)\s+http:\/\/127\.0\.0\.1:(\d+)\s+pid (\d+)/g

interface Started {
  readonly child: ChildProcess
  /** Standard output so far. */
  readonly said: () => string
  readonly complaints: () => string
  readonly isOver: () => boolean
}

/**
 * Somebody who does what a document says, in its order: each `sh` block in a shell, each `js` block as in a browser, from a
 * folder of its own. Where a block goes on without an end (a stream), Ctrl-C ends it once the answer is as shown. The block with
 * `npm start` is left running: it is a real `synod dev`, only on free ports, and all that follows is sent there.
 */
export class Reader {
  readonly #folder: string
  readonly #environment: NodeJS.ProcessEnv
  readonly #running = new Set<ChildProcess>()
  #brokers: readonly { readonly id: string; readonly port: string; readonly pid: string }[] = []

  constructor(t: TestContext) {
    // Before the folder's own hook, so that nothing writes to it any more when it is removed.
    t.after(() => this.#endAll())
    this.#folder = tempDir(t)
    this.#environment = { ...process.env, PATH: `${this.#makeTools()}:${process.env['PATH']}` }
  }

  /** A file that the document supposes its reader to have. */
  have(name: string, content: string): void {
    writeFileSync(join(this.#folder, name), content)
  }

  async follow(snippet: Snippet): Promise<void> {
    if (/^npm start$/m.test(snippet.code)) await this.#start(snippet)
    else if (snippet.language === 'js') await this.#inBrowser(snippet)
    else await this.#inShell(snippet)
  }

  /** Ctrl-C in the terminal of `npm start`: everything is gone when this returns. */
  async stop(): Promise<void> {
    await this.#endAll()
    for (const { pid } of this.#brokers)
      assert.throws(() => process.kill(Number(pid), 0), { code: 'ESRCH' }, `Broker ${pid} is still there.`)
  }

  async #start(snippet: Snippet): Promise<void> {
    const started = this.#spawn(snippet.code)
    await eventually(() => assert.match(started.said(), /Ctrl-C stops everything/, started.complaints()), {
      timeoutMs: ANSWER_TIMEOUT_MS,
    })
    this.#brokers = [...started.said().matchAll(BROKER)].map(([, id, port, pid]) => {
      return { id: id!, port: port!, pid: pid! }
    })
    assert.equal(this.#brokers.length, 3)
    this.#environment['SYNOD_URL'] = `http://127.0.0.1:${this.#brokers[0]!.port}`
    if (snippet.shown !== undefined) this.#compare(snippet, started)
  }

  async #inShell(snippet: Snippet): Promise<void> {
    for (const deadline = performance.now() + ANSWER_TIMEOUT_MS; ;) {
      const started = this.#spawn(this.#here(snippet.code))
      await eventually(
        () =>
          assert.ok(
            started.isOver() || this.#isAnswered(snippet, started),
            this.#difference(snippet, started),
          ),
        { timeoutMs: ANSWER_TIMEOUT_MS },
      )
      await this.#end(started.child)
      const isRepeatable = !CHANGES.test(snippet.code) && performance.now() < deadline
      if (!isRepeatable || this.#isAnswered(snippet, started)) return this.#compare(snippet, started)
    }
  }

  async #inBrowser(snippet: Snippet): Promise<void> {
    const browser = new Browser()
    try {
      browser.run(this.#here(snippet.code))
      const shown = this.#here(snippet.shown ?? '…')
      await eventually(
        () => assert.ok(isAsShown(browser.said, shown), `line ${snippet.line}: ${browser.said}`),
        {
          timeoutMs: ANSWER_TIMEOUT_MS,
        },
      )
    } finally {
      browser.close()
    }
  }

  #isAnswered({ shown }: Snippet, started: Started): boolean {
    return shown === undefined ? started.child.exitCode === 0 : isAsShown(started.said(), this.#here(shown))
  }

  #compare(snippet: Snippet, started: Started): void {
    assert.ok(this.#isAnswered(snippet, started), this.#difference(snippet, started))
  }

  #difference({ code, line, shown }: Snippet, started: Started): string {
    const answer = `${started.said()}${started.complaints()}`
    return `line ${line}:\n${code}answered (${started.child.exitCode}):\n${answer}\nand not:\n${this.#here(shown ?? '')}`
  }

  /** The ports and processes of this cluster where the document says those of everybody's. */
  #here(text: string): string {
    return this.#brokers.reduce(
      (so, { id, port, pid }) =>
        so.replaceAll(`:${8079 + Number(id)}`, `:${port}`).replaceAll(`<pid of broker ${id}>`, pid),
      text,
    )
  }

  #spawn(code: string): Started {
    // A group of its own, so that Ctrl-C reaches all of a pipe as it does in a terminal.
    const child = spawn('sh', ['-e', '-c', code], {
      cwd: this.#folder,
      env: this.#environment,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#running.add(child)
    const texts = { said: '', complaints: '' }
    let isOver = false
    child.stdout.on('data', (data: Buffer) => (texts.said += data.toString()))
    child.stderr.on('data', (data: Buffer) => (texts.complaints += data.toString()))
    child.once('close', () => {
      isOver = true
      this.#running.delete(child)
    })
    return { child, said: () => texts.said, complaints: () => texts.complaints, isOver: () => isOver }
  }

  async #end(child: ChildProcess): Promise<void> {
    if (!this.#running.has(child)) return
    const closed = once(child, 'close')
    signalGroup(child, 'SIGINT')
    const patience = setTimeout(() => signalGroup(child, 'SIGKILL'), 20_000)
    await closed
    clearTimeout(patience)
  }

  async #endAll(): Promise<void> {
    await Promise.all([...this.#running].map((child) => this.#end(child)))
  }

  /** `npm` and `npx` as a reader has them, without the network: what they would run is what was built here. */
  #makeTools(): string {
    const folder = join(this.#folder, 'bin')
    mkdirSync(folder)
    const node = `exec '${process.execPath}'`
    const tools = {
      npm: `case "$1" in ci) ;; start) ${node} '${MAIN}' dev --port 0 --data ./data ;; *) exit 64 ;; esac`,
      npx: `what=$1; shift; case "$what" in synod) ${node} '${MAIN}' "$@" ;; wscat) ${node} '${WSCAT}' "$@" ;; *) exit 64 ;; esac`,
      node: `${node} "$@"`,
    }
    for (const [name, script] of Object.entries(tools)) {
      writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`)
      chmodSync(join(folder, name), 0o755)
    }
    return folder
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal)
  } catch (error) {
    // Its processes ended by themselves meanwhile.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
