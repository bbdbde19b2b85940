import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, EXIT } from '../exit-codes.ts'

/** One broker of the cluster that `dev` runs. */
export interface DevBroker {
  readonly id: number
  readonly publicPort: number
  readonly internalPort: number
}

/** What must be the same at the next start: who the brokers are, where they find each other, and their shared key. */
export interface DevClusterFile {
  readonly version: 1
  /** 64 hex digits. */
  readonly clusterSecret: string
  readonly brokers: readonly DevBroker[]
}

export function clusterFilePath(folder: string): string {
  return join(folder, 'cluster.json')
}

export function newClusterSecret(): string {
  return randomBytes(32).toString('hex')
}

/** Undefined when the folder holds no cluster yet. */
export function readClusterFile(folder: string): DevClusterFile | undefined {
  const path = clusterFilePath(folder)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw new CommandError(
      EXIT.dataFolder,
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
    )
  }
  const content = parse(text)
  if (content === undefined) {
    throw new CommandError(EXIT.dataFolder, `${path} is not a file that synod dev wrote.`, {
      hint: 'Put it back from a backup, or begin anew in another folder with --data.',
    })
  }
  // It holds the key of the cluster; a copied folder may have lost the file's mode.
  chmodSync(path, 0o600)
  return content
}

/** Written whole or not at all, readable by its owner only. */
export function writeClusterFile(folder: string, content: DevClusterFile): void {
  mkdirSync(folder, { recursive: true })
  const path = clusterFilePath(folder)
  const draft = `${path}.new`
  writeFileSync(draft, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 })
  chmodSync(draft, 0o600)
  renameSync(draft, path)
}

function parse(text: string): DevClusterFile | undefined {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof content !== 'object' || content === null) return undefined
  const { version, clusterSecret, brokers } = content as Partial<Record<keyof DevClusterFile, unknown>>
  if (version !== 1 || typeof clusterSecret !== 'string' || !/^[0-9a-f]{64,}$/.test(clusterSecret))
    return undefined
  if (!Array.isArray(brokers) || brokers.length === 0 || !brokers.every(isBroker)) return undefined
  return { version, clusterSecret, brokers }
}

function isBroker(value: unknown): value is DevBroker {
  if (typeof value !== 'object' || value === null) return false
  const { id, publicPort, internalPort } = value as Partial<Record<keyof DevBroker, unknown>>
  return [id, publicPort, internalPort].every(
    (each) => Number.isInteger(each) && Number(each) > 0 && Number(each) < 65_536,
  )
}
