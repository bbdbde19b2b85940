import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Random } from '../../sim/random.ts'

const SOURCE = fileURLToPath(new URL('../../../../test/chaos/disk/disk-shim.c', import.meta.url))

/** Translates the shim into `folder`. Returns the library, or a sentence that says why brokers have to do without it. */
export function buildDiskShim(folder: string): { readonly library: string } | { readonly missing: string } {
  if (process.platform !== 'linux') return { missing: 'Disks can be spoiled on Linux only.' }
  const library = join(folder, 'disk-shim.so')
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, SOURCE, '-ldl'], { stdio: 'pipe' })
    return { library }
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    return {
      missing: isMissing
        ? 'There is no C compiler to build the disk shim with (Debian: apt-get install gcc libc6-dev).'
        : `The disk shim cannot be built: ${String(error)}`,
    }
  }
}

export type DiskMode =
  | { readonly kind: 'sound' | 'error' | 'hang' | 'full' }
  | { readonly kind: 'delay'; readonly delayMs: number }

/** The disk of one broker, as the shim lets it appear. */
export class ShimmedDisk {
  readonly #library: string
  readonly #folder: string
  readonly #dataFolder: string

  /** `folder` holds what is said to the shim and what it notes. */
  constructor(library: string, folder: string, dataFolder: string) {
    this.#library = library
    this.#folder = folder
    this.#dataFolder = dataFolder
    mkdirSync(folder, { recursive: true })
    this.behave({ kind: 'sound' })
  }

  /** What a process needs in its environment to live on this disk. */
  get environment(): Readonly<Record<string, string>> {
    return { LD_PRELOAD: this.#library, DISK_SHIM_FOLDER: this.#folder }
  }

  behave(mode: DiskMode): void {
    const draft = join(this.#folder, 'mode.new')
    writeFileSync(draft, mode.kind === 'delay' ? `delay ${mode.delayMs}` : mode.kind)
    // Renamed, so that no sync reads half of it.
    renameSync(draft, join(this.#folder, 'mode'))
  }

  /**
   * What a power cut leaves: every file of the databases keeps what was synced, and as much of the rest as chance wills. The
   * broker's process must be gone. Returns how many bytes went.
   */
  cutPower(random: Random): number {
    const synced = this.#syncedLengths()
    let lost = 0
    for (const path of databaseFiles(this.#dataFolder)) {
      const { size } = statSync(path)
      const kept = Math.min(size, synced.get(path) ?? 0)
      const length = random.chance(0.5) ? kept : kept + random.integer(size - kept + 1)
      if (length < size) truncateSync(path, length)
      lost += size - length
      // What stands on the disk now, the next cut leaves too.
      synced.set(path, length)
    }
    writeFileSync(this.#notes, [...synced].map(([path, length]) => `${length} ${path}\n`).join(''))
    return lost
  }

  get #notes(): string {
    return join(this.#folder, 'synced')
  }

  #syncedLengths(): Map<string, number> {
    const lengths = new Map<string, number>()
    if (!existsSync(this.#notes)) return lengths
    for (const line of readFileSync(this.#notes, 'utf8').split('\n')) {
      const space = line.indexOf(' ')
      if (space > 0) lengths.set(line.slice(space + 1), Number(line.slice(0, space)))
    }
    return lengths
  }
}

/** Files that LevelDB appends to. It replaces CURRENT by a rename after a sync, which no cut undoes here. */
function databaseFiles(dataFolder: string): readonly string[] {
  return readdirSync(dataFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(\.log|\.ldb|MANIFEST-\d+)$/.test(basename(name)))
    .map((name) => join(realpathSync(dataFolder), name))
}
