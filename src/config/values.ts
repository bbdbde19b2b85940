import { readFileSync, statSync } from 'node:fs'
import { brokerId } from '../types/ids.ts'
import type { BrokerId } from '../types/ids.ts'
import type { Settings } from './schema.ts'

/** Where a listener binds. Port 0 lets the system choose one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** A founding broker of the cluster, and where its internal listener is. */
export interface Seed extends ListenAddress {
  readonly id: BrokerId
}

/** Takes one sentence about a problem. */
export type Say = (problem: string) => void

const SECRET_BYTES_MIN = 32

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Reads `id=host:port`. */
export function parseSeed(text: string, say: Say): Seed[] {
  const match = /^([1-9]\d{0,4})=(\[[0-9a-fA-F:.]+\]|[^:\s]+):([1-9]\d{0,4})$/.exec(text)
  const [id, address, portNumber] = [Number(match?.[1]), match?.[2] ?? '', Number(match?.[3])]
  if (match === null || id > 65_535 || portNumber > 65_535) {
    say(`The seed '${text}' is not of the form id=host:port, for example 1=10.0.0.1:9080.`)
    return []
  }
  return [{ id: brokerId(id), host: address.replaceAll(/[[\]]/g, ''), port: portNumber }]
}

/** The key of the cluster, from either setting. What is said of it never shows the secret itself. */
export function readSecret(settings: Settings, say: Say): Buffer | undefined {
  const { clusterSecret, clusterSecretFile: file } = settings
  if (clusterSecret !== undefined && file !== undefined)
    say('Set clusterSecret or clusterSecretFile, not both.')
  let text = clusterSecret
  if (file !== undefined) {
    try {
      const others = statSync(file).mode & 0o077
      if (others !== 0 && process.platform !== 'win32')
        say(`${file} can be read by others: run chmod 600 ${file}.`)
      text = readFileSync(file, 'utf8').trim()
    } catch (error) {
      say(
        `The cluster secret ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      )
      return undefined
    }
  }
  if (text === undefined) return undefined
  if (!/^([0-9a-fA-F]{2})+$/.test(text) || text.length < SECRET_BYTES_MIN * 2) {
    say(
      `The cluster secret must be at least ${SECRET_BYTES_MIN * 2} hex digits: openssl rand -hex ${SECRET_BYTES_MIN} makes one.`,
    )
    return undefined
  }
  return Buffer.from(text, 'hex')
}
