import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Files with the bodies of requests, made once each; wrk reads them. */
export class Bodies {
  readonly #folder: string
  readonly #made = new Map<string, Promise<string>>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The path of a file with what `make` returns. */
  file(name: string, make: () => string): Promise<string> {
    const path = join(this.#folder, name)
    const made = this.#made.get(name) ?? writeFile(path, make()).then(() => path)
    this.#made.set(name, made)
    return made
  }
}
