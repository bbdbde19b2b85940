import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What the disk gives for the files below the folder, as `du` counts it. Files that vanish meanwhile count nothing. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const found = await stat(join(entry.parentPath, entry.name)).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
      throw error
    })
    bytes += 512 * (found?.blocks ?? 0)
  }
  return bytes
}
