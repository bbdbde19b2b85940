import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** In the order in which they are run. */
export const LANGUAGES = ['typescript', 'python', 'go', 'java'] as const

export type Language = (typeof LANGUAGES)[number]

/** What prepare.sh ends with when a tool that it cannot install is not on this machine. */
const TOOLCHAIN_MISSING_EXIT_CODE = 69

const CLIENTS = fileURLToPath(new URL('../../../../clients', import.meta.url))

export type Preparation =
  | { readonly kind: 'ready'; readonly program: string }
  | { readonly kind: 'missing'; readonly sentence: string }
  | { readonly kind: 'failed'; readonly sentence: string }

/** Installs and builds what the script of a language needs. */
export function prepare(language: Language): Preparation {
  const folder = join(CLIENTS, language, 'conformance')
  if (!existsSync(folder)) return { kind: 'missing', sentence: `There is no clients/${language}/conformance.` }
  const { status, stdout, error } = spawnSync('sh', [join(folder, 'prepare.sh')], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const sentence = stdout.trim().split('\n').at(-1) ?? ''
  if (status === TOOLCHAIN_MISSING_EXIT_CODE) return { kind: 'missing', sentence }
  if (status !== 0)
    return { kind: 'failed', sentence: `prepare.sh ended with ${status ?? String(error)}. ${sentence}` }
  return { kind: 'ready', program: join(folder, 'run.sh') }
}

export function isLanguage(name: string): name is Language {
  return LANGUAGES.some((language) => language === name)
}
