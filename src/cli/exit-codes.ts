/** How `synod` ends. The numbers are those of sysexits(3) where one fits; docs/operations.md lists them. */
export const EXIT = {
  ok: 0,
  /** The cluster refused: the request itself has to change. Also what doctor ends with when something does not work. */
  refused: 1,
  usage: 64,
  /** No broker answers, a port is taken, the cluster did not get ready. */
  unavailable: 69,
  internal: 70,
  /** The data folder is locked, damaged, or cannot be written. */
  dataFolder: 73,
  /** The cluster answered that trying again may help. */
  tryAgain: 75,
  interrupted: 130,
} as const

/** For `--help`. */
export const EXIT_CODES_TEXT = `Exit codes:
  0    done; a stop by Ctrl-C counts for serve and dev
  1    the cluster refused the request; doctor: there is a problem
  64   wrong usage or configuration
  69   no broker answers, or a port is taken
  70   an error inside Synod
  73   the data folder is locked, damaged or cannot be written
  75   not now: trying again may help
  130  interrupted`

/** Ends a command with one sentence for people, maybe a second one that says what to try, and an exit code. */
export class CommandError extends Error {
  override readonly name = 'CommandError'
  readonly exitCode: number
  readonly hint: string | undefined

  constructor(exitCode: number, sentence: string, more: { hint?: string | undefined; cause?: unknown } = {}) {
    super(sentence, more.cause === undefined ? undefined : { cause: more.cause })
    this.exitCode = exitCode
    this.hint = more.hint
  }
}
