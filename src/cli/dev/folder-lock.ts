import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, realpathSync, unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, EXIT } from '../exit-codes.ts'

export interface FolderLock {
  release(): Promise<void>
}

/** A socket's path has room for about a hundred bytes. */
const SOCKET_PATH_BYTES_MAX = 100

/**
 * Makes sure that one `dev` at a time runs on a folder. The lock is a listening socket, because the system drops it with
 * its process, however that ends, while the number in a file of process ids may soon belong to somebody else.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  mkdirSync(folder, { recursive: true })
  const path = socketPath(realpathSync(folder))
  if (await answers(path)) {
    throw new CommandError(EXIT.dataFolder, `Another synod dev runs on ${folder}.`, {
      hint: 'Use that one, stop it, or begin another cluster with --data.',
    })
  }
  if (process.platform !== 'win32') removeIfThere(path)
  const server = createServer((socket) => socket.destroy())
  server.listen(path)
  await once(server, 'listening')
  server.unref()
  return {
    async release() {
      server.close()
      await once(server, 'close')
    },
  }
}

function socketPath(folder: string): string {
  const name = createHash('sha256').update(folder).digest('hex').slice(0, 16)
  if (process.platform === 'win32') return `\\\\.\\pipe\\synod-dev-${name}`
  const inFolder = join(folder, 'dev.sock')
  return Buffer.byteLength(inFolder) <= SOCKET_PATH_BYTES_MAX
    ? inFolder
    : join(tmpdir(), `synod-dev-${name}.sock`)
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    // Nothing there, or a socket whose process is gone.
    return false
  } finally {
    socket.destroy()
  }
}

function removeIfThere(path: string): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
  }
}
