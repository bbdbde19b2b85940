import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a script ends with when a tool that it cannot install is not on this machine. */
const TOOL_MISSING_EXIT_CODE = 69

/** The sources, not what is compiled: configurations and scripts lie there. */
export const OUTSIDE = fileURLToPath(new URL('../../../test/outside', import.meta.url))
const CACHE = join(OUTSIDE, '.cache')

export interface CheckOutcome {
  /** Missing: the machine lacks what the check needs. */
  readonly kind: 'passed' | 'failed' | 'missing'
  readonly sentence: string
}

/** Ends a check that cannot be run here, with what to install. */
export class ToolMissing extends Error {}

/** The folder of programs of a Python environment with the packages of `requirements`, which is installed if need be. */
export function pythonEnvironment(name: string, requirements: string): string {
  const folder = join(CACHE, name)
  runScript('python.sh', requirements, folder)
  return join(folder, 'bin')
}

/** What `require` gives of an npm package, after all that are in `packages` were installed if need be. */
export function nodePackage(name: string): unknown {
  const folder = join(CACHE, 'packages')
  runScript('packages.sh', join(OUTSIDE, 'packages'), folder)
  return createRequire(join(folder, 'package.json'))(name)
}

/** The program of Chromium. */
export function chromiumProgram(): string {
  return runScript('chromium.sh')
}

/** What the script wrote. */
function runScript(name: string, ...args: readonly string[]): string {
  const { status, stdout } = spawnSync('sh', [join(OUTSIDE, name), ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status === TOOL_MISSING_EXIT_CODE) throw new ToolMissing(stdout.trim())
  if (status !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${status}.`)
  return stdout.trim()
}

/** Runs a program to its end, each line of its output given on; never left running after this one. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly onText: (text: string) => void },
): Promise<number> {
  const child = spawn(program, args, { cwd: options.cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  const onExit = (): void => void child.kill('SIGKILL')
  process.once('exit', onExit)
  child.stdout.setEncoding('utf8').on('data', options.onText)
  child.stderr.setEncoding('utf8').on('data', options.onText)
  const [code] = (await once(child, 'close')) as [number | null]
  process.off('exit', onExit)
  return code ?? 1
}
