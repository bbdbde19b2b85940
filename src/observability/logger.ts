import { destination, pino, stdTimeFunctions } from 'pino'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Facts of a line, by name: ids, counts, durations with their unit. An error goes under `error`. */
export type LogFacts = Readonly<Record<string, unknown>>

/** What the rest of the broker sees of logging. A message is one sentence without values; these are facts. */
export interface Logger {
  debug(facts: LogFacts, message: string): void
  info(facts: LogFacts, message: string): void
  warn(facts: LogFacts, message: string): void
  error(facts: LogFacts, message: string): void
  /** A logger that adds these facts to each line. */
  child(facts: LogFacts): Logger
}

export interface LoggerOptions {
  readonly level: LogLevel
  /** On every line. */
  readonly facts?: LogFacts
  /** Where lines go; standard error when undefined, because standard output belongs to commands' results. */
  readonly write?: (line: string) => void
}

/** Names of facts whose values are never written, wherever up to two levels deep they stand. */
const SECRET_NAMES = ['secret', 'clusterSecret', 'password', 'token', 'authorization', 'cookie', 'key']
const HIDDEN = SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`])

/** One JSON object a line: time, level, message, facts. */
export function createLogger(options: LoggerOptions): Logger {
  const write = options.write
  const settings = {
    level: options.level,
    base: options.facts ?? {},
    messageKey: 'message',
    errorKey: 'error',
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: HIDDEN, censor: '(hidden)' },
  }
  // Lines are written at once: the last line before a crash is the one that matters most.
  const target = write === undefined ? destination({ fd: 2, sync: true }) : { write }
  return wrap(pino(settings, target))
}

type PinoLine = (facts: object, message: string) => void
interface PinoLogger {
  debug: PinoLine
  info: PinoLine
  warn: PinoLine
  error: PinoLine
  child(facts: object): PinoLogger
}

function wrap(inner: PinoLogger): Logger {
  return {
    debug: (facts, message) => inner.debug(facts, message),
    info: (facts, message) => inner.info(facts, message),
    warn: (facts, message) => inner.warn(facts, message),
    error: (facts, message) => inner.error(facts, message),
    child: (facts) => wrap(inner.child(facts)),
  }
}
