import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { freemem, tmpdir } from 'node:os'
import { join } from 'node:path'

const MIB = 1024 * 1024

/** A disk of its own that a test can fill: a tmpfs, for which the test must run as root. */
export interface SmallDisk {
  readonly folder: string
  readonly freeBytes: () => number
  /** Writes a file until only so much is free; 0: until nothing more fits. */
  fill(leaveBytes: number): void
  /** Removes that file. */
  relieve(): void
  remove(): void
}

/** Mounts it, in a temp folder or at a folder that is there; or says in a sentence why that cannot be done here. */
export function mountSmallDisk(sizeMiB: number, at?: string): SmallDisk | string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'Filling a disk needs root on Linux.'
  if (freemem() < 3 * sizeMiB * MIB) return `Filling a disk of ${sizeMiB} MiB needs more free memory.`
  const folder = at ?? mkdtempSync(join(tmpdir(), 'synod-disk-'))
  try {
    execFileSync('/bin/mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder], { stdio: 'pipe' })
  } catch (error) {
    return `Mounting a tmpfs is not allowed here (${String(error).split('\n')[0]}).`
  }
  const filler = join(folder, 'filler')
  const freeBytes = (): number => {
    const { bavail, bsize } = statfsSync(folder)
    return bavail * bsize
  }
  return {
    folder,
    freeBytes,
    fill: (leaveBytes) => fill(filler, freeBytes() - leaveBytes, leaveBytes === 0),
    relieve: () => rmSync(filler, { force: true }),
    remove() {
      execFileSync('/bin/umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function fill(path: string, byteCount: number, isToTheBrim: boolean): void {
  const chunk = Buffer.alloc(MIB)
  const file = openSync(path, 'a')
  try {
    for (let left = byteCount; left > 0; left -= chunk.length)
      writeSync(file, chunk, 0, Math.min(left, chunk.length))
    // Whoever else writes may have taken a part meanwhile, or left one.
    while (isToTheBrim) writeSync(file, chunk, 0, 4096)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
  } finally {
    closeSync(file)
  }
}
