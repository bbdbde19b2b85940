import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { programOf } from './programs.ts'
import type { System, Work } from './system.ts'

/**
 * Syncs of files by all processes of a system for 1,000 records that it acknowledged, counted by strace in a turn of its own, for
 * strace slows what it watches. Fewer syncs than records is group commit; none would be no durability. Undefined without strace.
 */
export async function syncsPer1000(system: System, work: Work, folder: string): Promise<number | undefined> {
  const strace = programOf('strace')
  if (strace === undefined) return undefined
  const file = join(folder, `syncs-${system.name}`)
  const processes = system.pids.flatMap((pid) => ['-p', String(pid)])
  const tracer = spawn(strace, ['-f', '-c', '-o', file, '-e', 'trace=fdatasync,fsync', ...processes], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await allAttached(tracer.stderr, system.pids.length)
  tracer.stderr.resume()
  const { ok } = await system.load(work)
  tracer.kill('SIGINT')
  await once(tracer, 'close')
  return (callsIn(await readFile(file, 'utf8')) * 1000) / (ok * work.records)
}

/** strace says one line for each thread; the threads of a process come after it. */
async function allAttached(stderr: Readable, count: number): Promise<void> {
  let text = ''
  for await (const piece of stderr.iterator({ destroyOnReturn: false })) {
    text += String(piece)
    if ((text.match(/attached/g) ?? []).length >= count) return
  }
  throw new Error(`strace ended: ${text}`)
}

/** Of strace's table: % time, seconds, usecs/call, calls, errors (may be left out), syscall. */
export function callsIn(table: string): number {
  let calls = 0
  for (const [, count] of table.matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?f(?:data)?sync$/gm))
    calls += Number(count)
  return calls
}
