import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Notes } from './notes.ts'

const READER = fileURLToPath(new URL('./journal-reading.js', import.meta.url))
/** Runs in a row that came to no good end. One may be anybody's kill, two are an accident. */
const SHORT_RUNS_MAX = 2
/** A run that lasted so long was not ended by what it found in the journal at its start. */
const LASTING_MS = 60_000

/** How LevelDB's assertions, and reads of memory that is not there, end a process. Any other signal came from outside. */
const ENDED_BY_LEVELDB = new Set<NodeJS.Signals | null>(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGTRAP'])

/**
 * What LevelDB says of files that are not as it left them; 'Invalid argument' of a table that ends before its time. An error of
 * the disk may pass, and is no sign of that.
 */
const CONTRADICTION = /Corruption|No such file|Invalid argument/

/** How the reading process ends by itself. */
export const READING = { SOUND: 0, BROKEN: 3, UNDECIDED: 4 } as const

/**
 * Keeps a broker from ending again and again over one broken table of its journal. LevelDB verifies no block that it
 * merges, and its assertions end the process when the keys in it make no sense: at the next start again. So the runs
 * that ended soon and not in good order are counted, and after two of them another process reads the journal through first;
 * after a run whose write LevelDB refused because of what it found in a table, at once.
 */
export class JournalTrial {
  readonly #folder: string
  readonly #notes: Notes

  constructor(journalFolder: string, notes: Notes) {
    this.#folder = journalFolder
    this.#notes = notes
  }

  /** Before the journal is opened. Resolves with what is wrong with it, undefined when nothing was found. */
  async begin(): Promise<string | undefined> {
    const { count } = ((await this.#notes.read('short-runs')) ?? {}) as Record<string, unknown>
    const before = typeof count === 'number' ? count : 0
    // A disk that takes no note will take no record either, which is told where it matters.
    await this.#notes.write('short-runs', { count: before + 1 }).catch(() => {})
    return before < SHORT_RUNS_MAX ? undefined : await whatBreaks(this.#folder)
  }

  /** A write failed. Resolves when the next start knows whether to have the journal read. */
  async failed(error: Error): Promise<void> {
    if (!contradictsItself(error)) return
    await this.#notes.write('short-runs', { count: SHORT_RUNS_MAX }).catch(() => {})
  }

  /** At a close in good order, and when the run has lasted. */
  async end(): Promise<void> {
    // What cannot be removed costs one more reading at a later start.
    await this.#notes.remove('short-runs').catch(() => {})
  }

  endLater(): void {
    setTimeout(() => void this.end(), LASTING_MS).unref()
  }
}

export function contradictsItself(error: unknown): boolean {
  return CONTRADICTION.test(String(error))
}

async function whatBreaks(folder: string): Promise<string | undefined> {
  const reader = fork(READER, [folder], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] })
  const [code, signal] = (await once(reader, 'exit')) as [number | null, NodeJS.Signals | null]
  if (code === READING.BROKEN) return 'its keys are not in order, or not all there'
  return ENDED_BY_LEVELDB.has(signal) ? `reading it ends the process with ${signal}` : undefined
}
