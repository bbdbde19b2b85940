import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { exists, syncFolder } from './folder.ts'
import { damageOf, LevelKeyValue, type LevelOptions } from './level-key-value.ts'
import { findDamagedTables } from './level-tables.ts'
import { INDEX_WRITE_BUFFER_BYTES } from './options.ts'
import { DamagedIndexError } from './storage-errors.ts'

const CACHE_BYTES = 16 * 1024 * 1024
/** A file beside the tables that says that they were closed in good order. */
const CLOSED = 'CLOSED'
/** Behind the name of a table that LevelDB must not read. */
const UNREADABLE = '.unreadable'

/** The index as a database, or an empty one when LevelDB cannot open it: nothing in it is lost for good. */
export interface LevelIndex {
  readonly database: LevelKeyValue
  /** Puts an empty database in its place. */
  setAside(): Promise<void>
}

/**
 * Opens the index in the folder; the caller holds the journal's lock, which covers both. One that cannot be opened is set
 * aside, with a warning, and so is one that is gone though it should be there: without its file CURRENT LevelDB would take
 * the folder for a new database and delete what is in it. After a run that did not end in good order every table is verified
 * first, because LevelDB does not, and ends the process when it stumbles. Rejects when the reason is another than damage.
 */
export async function openLevelIndex(
  folder: string,
  options: { readonly mustExist: boolean; readonly warn: (sentence: string) => void },
): Promise<LevelIndex> {
  if (options.mustExist && !(await exists(join(folder, 'CURRENT')))) {
    options.warn(`The index in ${folder} is gone; it is rebuilt from the journal.`)
    await setAside(folder)
  }
  const unreadable = await hideDamagedTables(folder)
  const database = await openOrReplace(folder, unreadable, options.warn)
  // LevelDB did without them: they are what a crash left of tables that were being written.
  for (const table of unreadable) await rm(join(folder, table + UNREADABLE), { force: true })
  await rm(join(folder, CLOSED), { force: true })
  await syncFolder(folder)
  return { database, setAside: () => database.reopen(() => setAside(folder)) }
}

async function openOrReplace(
  folder: string,
  unreadable: readonly string[],
  warn: (sentence: string) => void,
): Promise<LevelKeyValue> {
  const options: LevelOptions = {
    writeBufferBytes: INDEX_WRITE_BUFFER_BYTES,
    cacheBytes: CACHE_BYTES,
    mayCreate: true,
    damaged: (reason) => new DamagedIndexError(`LevelDB cannot read it (${reason}).`),
    // When it cannot be written, the next start verifies more than it would have to.
    onClosed: () => writeFile(join(folder, CLOSED), '').catch(() => {}),
  }
  try {
    return await LevelKeyValue.open(folder, options)
  } catch (error) {
    const reason = damageOf(error)
    if (reason === undefined) throw error
    const tables = unreadable.length === 0 ? '' : `; damaged tables: ${unreadable.join(', ')}`
    warn(
      `The index in ${folder} cannot be opened (${reason}${tables}); it is set aside and rebuilt from the journal.`,
    )
    await setAside(folder)
    return await LevelKeyValue.open(folder, options)
  }
}

/**
 * Takes damaged tables out of LevelDB's sight. It refuses to open without one that it needs; one that was never finished, or
 * is of no use any more, it does not miss.
 */
async function hideDamagedTables(folder: string): Promise<readonly string[]> {
  if (!(await exists(folder)) || (await exists(join(folder, CLOSED)))) return []
  const tables = await findDamagedTables(folder)
  for (const table of tables) await rename(join(folder, table), join(folder, table + UNREADABLE))
  return tables
}

/** Kept for inspection until the next one that is set aside. Nothing reads it: it may be deleted at any time. */
async function setAside(folder: string): Promise<void> {
  if (!(await exists(folder))) return
  const aside = `${folder}-damaged`
  await rm(aside, { recursive: true, force: true })
  await rename(folder, aside)
  await syncFolder(dirname(folder))
}
