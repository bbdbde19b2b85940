import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { access, constants, open, rm, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { isPortFree } from '../dev/ports.ts'
import { bytesText } from '../output.ts'
import { ok, problem, warning } from './finding.ts'
import type { Finding } from './finding.ts'

const NODE_MIN = { major: 20, minor: 19 }
/** Node 20 has had no security fixes since April 2026. */
const SUPPORTED_MAJOR_MIN = 22

/** What a broker takes for a full disk, and twice that. */
const FULL = { bytes: 512 * 1024 * 1024, fraction: 0.05 }
const LOW = { bytes: 2 * FULL.bytes, fraction: 2 * FULL.fraction }

const SYNC_TRIES = 20
const SYNC_BYTES = 4_096
/** Each acknowledgement waits for at least one sync on a majority of disks. */
const SYNC_SLOW_MS = 20

/** Checks the version of Node that runs this. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number)
  const isOld = major < NODE_MIN.major || (major === NODE_MIN.major && minor < NODE_MIN.minor)
  if (isOld)
    return problem(
      'node',
      `Node ${version} is too old: brokers need ${NODE_MIN.major}.${NODE_MIN.minor} or newer.`,
      'Install the current LTS of Node.',
    )
  if (major < SUPPORTED_MAJOR_MIN)
    return warning(
      'node',
      `Node ${version} works, but gets no security fixes any more.`,
      'Install the current LTS.',
    )
  return ok('node', `Node ${version} fits.`)
}

/** Checks the folder of one broker, or the one of `synod dev`, which holds several. Nothing in it is changed. */
export async function checkFolder(folder: string): Promise<readonly Finding[]> {
  const path = resolve(folder)
  const writable = existing(path)
  try {
    await access(writable, constants.W_OK | constants.X_OK)
  } catch {
    return [
      problem(
        'folder',
        `${writable} cannot be written by this user.`,
        `Give it to the user that runs the broker.`,
      ),
    ]
  }
  if (writable !== path) return [ok('folder', `${path} is not there yet; the first start makes it.`)]
  const stores = storesIn(path)
  if (stores.length === 0) return [ok('folder', `${path} holds no broker yet.`)]
  return stores.map(checkStore)
}

/** The folder itself, or the nearest one above it that is there. */
function existing(path: string): string {
  let folder = path
  while (!existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}

function storesIn(path: string): readonly string[] {
  const below = readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && /^broker-\d+$/.test(entry.name))
    .map((entry) => join(path, entry.name))
  return [path, ...below].filter(
    (folder) => existsSync(join(folder, 'store.json')) || existsSync(join(folder, 'journal')),
  )
}

function checkStore(folder: string): Finding {
  const hasIdentity = existsSync(join(folder, 'store.json'))
  const hasJournal = existsSync(join(folder, 'journal'))
  const restore =
    'Start the broker with this folder set aside: it becomes a member again with an empty one (docs/lost-disks.md).'
  if (!hasJournal) return problem('folder', `${folder} has lost its journal.`, restore)
  if (!hasIdentity) return problem('folder', `${folder} has lost its store.json.`, restore)
  try {
    JSON.parse(readFileSync(join(folder, 'store.json'), 'utf8'))
  } catch {
    return problem('folder', `${join(folder, 'store.json')} is damaged.`, restore)
  }
  if (existsSync(join(folder, 'outsider.json')))
    return warning(
      'folder',
      `The store in ${folder} forgot something and takes part in no vote.`,
      'Start its broker: it learns everything again from the others (docs/lost-disks.md).',
    )
  return ok('folder', `${folder} holds a store.`)
}

/** Checks room and speed where the folder is or will be. */
export async function checkDisk(folder: string): Promise<readonly Finding[]> {
  const path = existing(resolve(folder))
  return [await checkRoom(path), await checkSync(path)]
}

async function checkRoom(path: string): Promise<Finding> {
  const { bavail, bsize, blocks } = await statfs(path)
  return judgeRoom(path, { freeBytes: bavail * bsize, totalBytes: blocks * bsize })
}

export function judgeRoom(
  path: string,
  { freeBytes, totalBytes }: { readonly freeBytes: number; readonly totalBytes: number },
): Finding {
  const isBelow = ({ bytes, fraction }: typeof FULL): boolean =>
    freeBytes < bytes || freeBytes < totalBytes * fraction
  const sentence = `${bytesText(freeBytes)} of ${bytesText(totalBytes)} are free at ${path}`
  if (isBelow(FULL))
    return problem('disk', `Only ${sentence}: writes are refused.`, 'Free space, or move the data folder.')
  if (isBelow(LOW))
    return warning('disk', `Only ${sentence}.`, 'Free space, or let old records go (retentionBytes).')
  return ok('disk', `${sentence}.`)
}

async function checkSync(path: string): Promise<Finding> {
  let medianMs: number
  try {
    medianMs = await syncMs(path)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return problem(
      'disk',
      `Writing and syncing at ${path} failed: ${reason}.`,
      'Look at the disk and its mount.',
    )
  }
  const sentence = `A write of ${SYNC_BYTES} bytes is on the disk at ${path} after ${medianMs.toFixed(2)} ms (median)`
  if (medianMs <= SYNC_SLOW_MS) return ok('disk', `${sentence}.`)
  return warning(
    'disk',
    `${sentence}: every produce waits for that.`,
    'Use a faster disk, or one with less to do.',
  )
}

async function syncMs(path: string): Promise<number> {
  const file = join(path, `.synod-doctor-${randomUUID()}`)
  const handle = await open(file, 'wx')
  const tookMs: number[] = []
  try {
    const bytes = Buffer.alloc(SYNC_BYTES, 1)
    for (let turn = 0; turn < SYNC_TRIES; turn++) {
      const startMs = performance.now()
      await handle.write(bytes)
      await handle.datasync()
      tookMs.push(performance.now() - startMs)
    }
  } finally {
    await handle.close()
    await rm(file, { force: true })
  }
  return tookMs.toSorted((a, b) => a - b)[SYNC_TRIES / 2] ?? 0
}

export interface PortToCheck {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** Checks that a broker could listen there. `broker` is the one that answers at the public port, if one does. */
export async function checkPort(
  { name, host, port }: PortToCheck,
  broker: string | undefined,
): Promise<Finding> {
  if (port === 0) return ok('ports', `${name} is any free port.`)
  const place = `${host}:${port}`
  try {
    if (await isPortFree(port, host)) return ok('ports', `${name} ${place} is free.`)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return problem(
      'ports',
      `Nobody can listen on ${name} ${place}: ${reason}.`,
      'Use an address of this machine.',
    )
  }
  if (broker !== undefined) return ok('ports', `${name} ${place} is in use, and broker ${broker} runs here.`)
  return problem(
    'ports',
    `${name} ${place} is taken or may not be used.`,
    'Stop what listens there, or use another port.',
  )
}
