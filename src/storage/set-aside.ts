import { mkdir, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { exists, syncFolder } from './folder.ts'

/** In this order: while `store.json` is there, the next start sees that a store was here and goes on where this one stopped. */
const PARTS = [
  'index',
  'index-damaged',
  'clean.json',
  'short-runs.json',
  'outsider.json',
  'journal',
  'store.json',
]

/**
 * Moves a store that must not be used any more into a folder of its own within the data folder, and returns that folder's
 * name. Nothing is deleted, and what this broker knows of other stores stays where it is. A crash in between is mended by
 * doing it again.
 */
export async function setStoreAside(folder: string, storeId: string): Promise<string> {
  const name = `damaged-${storeId}`
  const place = join(folder, name)
  await mkdir(place, { recursive: true })
  for (const part of PARTS) {
    if (await exists(join(folder, part))) await rename(join(folder, part), await freePath(join(place, part)))
    await syncFolder(place)
    await syncFolder(folder)
  }
  return name
}

async function freePath(path: string): Promise<string> {
  let free = path
  for (let count = 2; await exists(free); count++) free = `${path}-${count}`
  return free
}
