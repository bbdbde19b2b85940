import { existsSync, readFileSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { CommandError, EXIT } from '../exit-codes.ts'
import type { ExportRange } from './export-ranges.ts'

/** How far an export came: kept beside its file until it is whole. */
export interface ExportProgress {
  readonly topic: string
  /** A topic that was made anew under the same name has another. */
  readonly topicId: string
  readonly ranges: readonly ExportRange[]
  /** Of the file; what stands behind was written after the progress was noted, and is written again. */
  readonly bytes: number
}

/** Where an export's lines go. */
export interface ExportTarget {
  write(lines: readonly string[]): Promise<void>
  /** Everything that was written is safe, up to these ranges. */
  note(ranges: readonly ExportRange[]): Promise<void>
  /** The export is whole. */
  finish(): Promise<void>
  close(): Promise<void>
}

function progressFile(file: string): string {
  return `${file}.progress`
}

/** What an export that was broken off left; undefined when there is none. Errors: `dataFolder` when it cannot be read. */
export function readProgress(file: string): ExportProgress | undefined {
  const path = progressFile(file)
  if (!existsSync(path)) return undefined
  try {
    const progress = JSON.parse(readFileSync(path, 'utf8')) as ExportProgress
    if (Array.isArray(progress.ranges) && Number.isSafeInteger(progress.bytes)) return progress
  } catch {
    // Told below, like content that is something else.
  }
  throw new CommandError(EXIT.dataFolder, `${path} does not say how far the export came.`, {
    hint: `Remove it and ${file}, and export again.`,
  })
}

/** A file that is written so that a crash at any moment leaves an export that can be resumed. */
export class ExportFile implements ExportTarget {
  readonly #path: string
  readonly #topic: Pick<ExportProgress, 'topic' | 'topicId'>
  readonly #handle: FileHandle
  #bytes: number

  private constructor(
    path: string,
    topic: Pick<ExportProgress, 'topic' | 'topicId'>,
    handle: FileHandle,
    bytes: number,
  ) {
    this.#path = path
    this.#topic = topic
    this.#handle = handle
    this.#bytes = bytes
  }

  /**
   * A new file: one that is there already is not touched. The progress is noted before there is a file, because a file
   * without one is taken for a whole export.
   */
  static async create(
    path: string,
    topic: Pick<ExportProgress, 'topic' | 'topicId'>,
    ranges: readonly ExportRange[],
  ): Promise<ExportFile> {
    if (existsSync(path))
      throw new CommandError(EXIT.usage, `${path} is there already.`, {
        hint: 'Name another file, or go on with a broken one by --resume.',
      })
    const { topic: name, topicId } = topic
    const progress = { topic: name, topicId, ranges, bytes: 0 }
    try {
      await writeProgress(path, progress)
      return new ExportFile(path, progress, await open(path, 'wx'), 0)
    } catch (error) {
      throw new CommandError(EXIT.dataFolder, `${path} cannot be written: ${String(error)}.`, {
        cause: error,
      })
    }
  }

  static async resume(path: string, progress: ExportProgress): Promise<ExportFile> {
    // One that broke off at its very beginning has no file yet.
    const handle = await open(path, progress.bytes === 0 ? 'w' : 'r+').catch((error: unknown) => {
      const hint = `Remove ${progressFile(path)} to export it again.`
      throw new CommandError(EXIT.dataFolder, `${path} cannot be written: ${String(error)}.`, {
        hint,
        cause: error,
      })
    })
    const { size } = await handle.stat()
    if (size < progress.bytes) {
      await handle.close()
      throw new CommandError(EXIT.dataFolder, `${path} is shorter than it was when the export broke off.`, {
        hint: `Remove it and ${progressFile(path)}, and export again.`,
      })
    }
    await handle.truncate(progress.bytes)
    return new ExportFile(path, progress, handle, progress.bytes)
  }

  async write(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(`${lines.join('\n')}\n`)
    // One write may take less than all of it.
    for (let at = 0; at < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, at, bytes.length - at, this.#bytes)
      at += bytesWritten
      this.#bytes += bytesWritten
    }
  }

  async note(ranges: readonly ExportRange[]): Promise<void> {
    await this.#handle.datasync()
    const { topic, topicId } = this.#topic
    await writeProgress(this.#path, { topic, topicId, ranges, bytes: this.#bytes })
  }

  async finish(): Promise<void> {
    await this.#handle.datasync()
    await rm(progressFile(this.#path), { force: true })
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Written beside, synced and renamed, so that it is never half there. */
async function writeProgress(path: string, progress: ExportProgress): Promise<void> {
  const beside = `${progressFile(path)}.new`
  const note = await open(beside, 'w')
  try {
    await note.writeFile(JSON.stringify(progress))
    await note.datasync()
  } finally {
    await note.close()
  }
  await rename(beside, progressFile(path))
}
