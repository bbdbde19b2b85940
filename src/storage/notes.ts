import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { exists, syncFolder } from './folder.ts'

/**
 * Small facts beside the journal (consensus 1.16). `clean`: where the journal ended when the store was closed in good order.
 * `seen`: what others said of their stores. `starts`: what the newest starts found. `outsider`: this store forgot something and never votes again. `replaces`: it took the
 * place of such a one, so it is part of a cluster already. `short-runs`: how many runs in a row ended soon, and badly.
 */
export type NoteName = 'clean' | 'seen' | 'starts' | 'outsider' | 'replaces' | 'short-runs'

export interface Notes {
  /** Undefined when there is none, or none that can be read: a note is knowledge, what is lost of it is no damage. */
  read(name: NoteName): Promise<unknown>
  /** Durable when it returns, as a whole or not at all. */
  write(name: NoteName, content: unknown): Promise<void>
  /** Durable when it returns. */
  remove(name: NoteName): Promise<void>
}

export class MemoryNotes implements Notes {
  readonly #contents = new Map<NoteName, string>()

  async read(name: NoteName): Promise<unknown> {
    return decodeNote(this.#contents.get(name) ?? '')
  }

  async write(name: NoteName, content: unknown): Promise<void> {
    this.#contents.set(name, encodeNote(content))
  }

  async remove(name: NoteName): Promise<void> {
    this.#contents.delete(name)
  }

  copy(): MemoryNotes {
    const copy = new MemoryNotes()
    for (const [name, text] of this.#contents) copy.#contents.set(name, text)
    return copy
  }
}

/** `clean.json`, `seen.json`, `outsider.json` in the data folder: written beside, synced, renamed, and the folder synced. */
export class NotesOnDisk implements Notes {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async read(name: NoteName): Promise<unknown> {
    const path = this.#path(name)
    return (await exists(path)) ? decodeNote(await readFile(path, 'utf8')) : undefined
  }

  async write(name: NoteName, content: unknown): Promise<void> {
    const path = this.#path(name)
    await mkdir(this.#folder, { recursive: true })
    const file = await open(`${path}.new`, 'w')
    try {
      await file.writeFile(encodeNote(content))
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}.new`, path)
    await syncFolder(dirname(path))
  }

  async remove(name: NoteName): Promise<void> {
    const path = this.#path(name)
    if (!(await exists(path))) return
    await rm(path)
    await syncFolder(dirname(path))
  }

  #path(name: NoteName): string {
    return join(this.#folder, `${name}.json`)
  }
}

function encodeNote(content: unknown): string {
  const text = JSON.stringify(content)
  return `{"crc32":${crc32(text)},"content":${text}}\n`
}

function decodeNote(text: string): unknown {
  try {
    const { crc32: sum, content } = JSON.parse(text) as Record<string, unknown>
    return crc32(JSON.stringify(content)) === sum ? content : undefined
  } catch {
    return undefined
  }
}
