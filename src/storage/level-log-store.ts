import { randomBytes } from 'node:crypto'
import { mkdir, open, readFile, rename, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storeId } from '../types/ids.ts'
import { exists, syncFolder } from './folder.ts'
import { formatIdentity, parseIdentity, type IdentityFile } from './identity.ts'
import { JournalTrial } from './journal-trial.ts'
import { JournaledStore, type StoreFiles } from './journaled-store.ts'
import { openLevelIndex } from './level-index.ts'
import { LevelKeyValue } from './level-key-value.ts'
import { findCutTables, tablesIn } from './level-tables.ts'
import type { StoreIdentity } from './log-store.ts'
import { NotesOnDisk } from './notes.ts'
import type { StoreOptions } from './options.ts'
import { DamagedStoreError, DataFolderError, indexDamageOf } from './storage-errors.ts'

const MEBIBYTE = 1024 * 1024
/** Below either bound a disk counts as full: LevelDB loses acknowledged writes when it really is. */
const FULL_FRACTION = 0.05
const FULL_BYTES = 512 * MEBIBYTE

const JOURNAL = {
  writeBufferBytes: 16 * MEBIBYTE,
  cacheBytes: 8 * MEBIBYTE,
  damaged: (reason: string) => new DamagedStoreError(`LevelDB cannot read the journal (${reason}).`),
}
type Supplied = 'randomStoreId' | 'nowMs' | 'schedule' | 'space'
/** What the system supplies may be left out. */
export type LevelStoreOptions = Omit<StoreOptions, Supplied> & Partial<Pick<StoreOptions, Supplied>>

/** A store in a folder: `journal/` and `index/` are LevelDB databases, `store.json` says whose they are. */
export type LevelLogStore = JournaledStore
export const LevelLogStore = { open: openLevelStore } as const

/**
 * Opens the folder, or formats it when nothing is there. Errors, one sentence each: DataFolderError when the folder is in
 * use, cannot be written or belongs to another broker; DamagedStoreError when what it holds contradicts itself, also when
 * LevelDB says so.
 */
export async function openLevelStore(folder: string, options: LevelStoreOptions): Promise<JournaledStore> {
  const notes = new NotesOnDisk(folder)
  const trial = new JournalTrial(join(folder, 'journal'), notes)
  const files = await openFiles(folder, options, notes, trial)
  try {
    return await JournaledStore.open(files, {
      randomStoreId: () => storeId(randomBytes(16).toString('hex')),
      nowMs: () => performance.now(),
      schedule: (run, delayMs) => void setTimeout(run, delayMs).unref(),
      space: () => spaceOf(folder),
      ...options,
      onFailure: (error) => void trial.failed(error).then(() => options.onFailure(failureOf(folder, error))),
    })
  } catch (error) {
    await files.journal.close()
    await files.index.close()
    if (error instanceof DamagedStoreError)
      throw new DamagedStoreError(`${folder}: ${error.message}`, { cause: error })
    if (error instanceof DataFolderError)
      throw new DataFolderError(`${folder}: ${error.message}`, { cause: error })
    throw error
  }
}

async function openFiles(
  folder: string,
  options: Pick<StoreOptions, 'onWarning'>,
  notes: NotesOnDisk,
  trial: JournalTrial,
): Promise<StoreFiles> {
  const identity = new IdentityFileOnDisk(join(folder, 'store.json'))
  const isFormatted = (await identity.read()) !== undefined
  const journalFolder = join(folder, 'journal')
  if (isFormatted && !(await exists(journalFolder))) {
    throw new DamagedStoreError(`${folder}: the journal is gone, though store.json says there was one.`)
  }
  await mkdir(folder, { recursive: true })
  const broken = isFormatted ? await trial.begin() : undefined
  if (broken !== undefined) throw new DamagedStoreError(`The journal in ${folder} is broken: ${broken}.`)
  // LevelDB deletes what it does not need when it opens: what is left of these belongs to the journal.
  const tables = isFormatted ? await tablesIn(journalFolder) : []
  const journal = await openDatabase(folder, journalFolder, {
    ...JOURNAL,
    mayCreate: !isFormatted,
    onClosed: () => trial.end(),
  })
  trial.endLater()
  try {
    const [cut] = await findCutTables(journalFolder, tables)
    if (cut !== undefined)
      throw new DamagedStoreError(`The journal in ${folder} is damaged: ${cut} has lost its end.`)
    const index = await openLevelIndex(join(folder, 'index'), {
      mustExist: isFormatted,
      warn: (sentence) => options.onWarning?.(sentence),
    })
    return { journal, index: index.database, identity, notes, setIndexAside: () => index.setAside() }
  } catch (error) {
    await journal.close()
    if (error instanceof DamagedStoreError) throw error
    throw new DataFolderError(`The data folder ${folder} cannot be read (${String(error)}).`, {
      cause: error,
    })
  }
}

/** What LevelDB says names a file, not what it means for the broker. */
function failureOf(folder: string, error: Error): Error {
  if (indexDamageOf(error) !== undefined) {
    return new DataFolderError(
      `The index in ${folder} is damaged, and is rebuilt at the next start (${error.message}).`,
      { cause: error },
    )
  }
  const isFromLevel = 'code' in error && String(error.code).startsWith('LEVEL_')
  if (!isFromLevel) return error
  return new DataFolderError(`The data folder ${folder} cannot be written (${error.message}).`, {
    cause: error,
  })
}

/**
 * What LevelDB says of files that are not as it left them. An error of the disk or a permission that is missing may pass: then
 * the store is whole.
 */
const CONTRADICTION = /Corruption|No such file|does not exist/

type LevelSettings = Parameters<typeof LevelKeyValue.open>[1]

/** Never repairs: LevelDB's repair brings deleted keys back and drops others. */
async function openDatabase(folder: string, path: string, settings: LevelSettings): Promise<LevelKeyValue> {
  try {
    return await LevelKeyValue.open(path, settings)
  } catch (error) {
    if (isLocked(error)) {
      throw new DataFolderError(`The data folder ${folder} is in use by another broker.`, { cause: error })
    }
    const reason =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
    const sentence = `The journal in ${folder} cannot be opened (${reason}).`
    // It will not open another time either, and what it promised is lost with it (consensus 2).
    if (CONTRADICTION.test(reason)) throw new DamagedStoreError(sentence, { cause: error })
    throw new DataFolderError(sentence, { cause: error })
  }
}

function isLocked(error: unknown): boolean {
  const cause: unknown = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED'
}

/** store.json: written beside, synced, renamed, and the folder synced, so that it is never half there. */
class IdentityFileOnDisk implements IdentityFile {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async read(): Promise<StoreIdentity | undefined> {
    if (!(await exists(this.#path))) return undefined
    const identity = parseIdentity(await readFile(this.#path, 'utf8'))
    if (identity === undefined)
      throw new DamagedStoreError(`${this.#path} cannot be read as a store's identity.`)
    return identity
  }

  async write(identity: StoreIdentity): Promise<void> {
    const draft = `${this.#path}.new`
    const file = await open(draft, 'w')
    try {
      await file.writeFile(`${formatIdentity(identity)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(draft, this.#path)
    await syncFolder(dirname(this.#path))
    await syncFolder(dirname(dirname(this.#path)))
  }
}

async function spaceOf(folder: string): Promise<{ readonly freeBytes: number; readonly full: boolean }> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const freeBytes = bavail * bsize
  return { freeBytes, full: freeBytes < FULL_BYTES || bavail < blocks * FULL_FRACTION }
}
