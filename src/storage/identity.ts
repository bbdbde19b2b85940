import { brokerId, storeId, type BrokerId, type StoreId } from '../types/ids.ts'
import type { KeyValue } from './key-value.ts'
import { asBuffer, IDENTITY_KEY, JOURNAL_TAG, tagRange } from './keys.ts'
import type { StoreIdentity } from './log-store.ts'
import { isSealed, seal, SEAL_BYTES } from './seal.ts'
import { DamagedStoreError, DataFolderError } from './storage-errors.ts'

const STORE_FORMAT = 1

/** The second copy of the identity, beside the journal: tells a folder whose journal was lost from a new one. */
export interface IdentityFile {
  read(): Promise<StoreIdentity | undefined>
  /** Durable when it returns. */
  write(identity: StoreIdentity): Promise<void>
}

export class MemoryIdentityFile implements IdentityFile {
  #identity: StoreIdentity | undefined

  async read(): Promise<StoreIdentity | undefined> {
    return this.#identity
  }

  async write(identity: StoreIdentity): Promise<void> {
    this.#identity = identity
  }
}

/**
 * Reads both copies and holds them against each other, or formats an empty store. The journal's copy is written first: with
 * only that one and no record yet, formatting was cut short and is finished; every other difference is damage.
 */
export async function openIdentity(
  journal: KeyValue,
  file: IdentityFile,
  options: { readonly brokerId: BrokerId; readonly randomStoreId: () => StoreId },
): Promise<StoreIdentity> {
  const stored = await journal.get(IDENTITY_KEY)
  const beside = await file.read()
  if (stored === undefined) {
    if (beside !== undefined) throw new DamagedStoreError(`Store ${beside.storeId} has lost its journal.`)
    const isEmpty = (await journal.scan({ ...tagRange(0, 0xff), countMax: 1 })).length === 0
    if (!isEmpty) throw new DamagedStoreError('The journal does not say whose it is, though it is not empty.')
    const fresh = {
      storeId: options.randomStoreId(),
      brokerId: options.brokerId,
      clusterId: '',
      format: STORE_FORMAT,
    }
    await journal.batch([identityPut(fresh)], { sync: true })
    await file.write(fresh)
    return fresh
  }
  const identity = decodeIdentity(stored)
  if (identity === undefined) throw new DamagedStoreError('The identity in the journal is damaged.')
  if (identity.format !== STORE_FORMAT) {
    throw new DataFolderError(
      `The store has format ${identity.format}; this Synod reads format ${STORE_FORMAT}.`,
    )
  }
  if (identity.brokerId !== options.brokerId) {
    throw new DataFolderError(
      `The store belongs to broker ${identity.brokerId}, not to broker ${options.brokerId}.`,
    )
  }
  if (beside === undefined) {
    const { from, below } = tagRange(JOURNAL_TAG.RECORD, JOURNAL_TAG.RECORD + 1)
    const hasRecords = (await journal.scan({ from, below, countMax: 1 })).length > 0
    if (hasRecords) throw new DamagedStoreError(`Store ${identity.storeId} has lost store.json.`)
    await file.write(identity)
  } else if (beside.storeId !== identity.storeId || beside.brokerId !== identity.brokerId) {
    throw new DamagedStoreError(
      `store.json is of store ${beside.storeId}, the journal of store ${identity.storeId}.`,
    )
  } else if (beside.clusterId === '' && identity.clusterId !== '') {
    await file.write(identity)
  } else if (beside.clusterId !== identity.clusterId) {
    throw new DamagedStoreError(
      `store.json is of cluster '${beside.clusterId}', the journal of '${identity.clusterId}'.`,
    )
  }
  return identity
}

/** The journal's copy as an operation. */
export function identityPut(identity: StoreIdentity): { type: 'put'; key: Uint8Array; value: Uint8Array } {
  const text = Buffer.from(formatIdentity(identity))
  const value = Buffer.allocUnsafe(SEAL_BYTES + text.length)
  value.set(text, SEAL_BYTES)
  return { type: 'put', key: IDENTITY_KEY, value: seal(IDENTITY_KEY, value) }
}

export function formatIdentity(identity: StoreIdentity): string {
  const { storeId: store, brokerId: broker, clusterId, format } = identity
  return JSON.stringify({ storeId: store, brokerId: broker, clusterId, format })
}

/** Undefined when the text is none. */
export function parseIdentity(text: string): StoreIdentity | undefined {
  try {
    const {
      storeId: store,
      brokerId: broker,
      clusterId,
      format,
    } = JSON.parse(text) as Record<string, unknown>
    if (typeof store !== 'string' || typeof broker !== 'number') return undefined
    if (typeof clusterId !== 'string' || typeof format !== 'number') return undefined
    return { storeId: storeId(store), brokerId: brokerId(broker), clusterId, format }
  } catch {
    return undefined
  }
}

function decodeIdentity(bytes: Uint8Array): StoreIdentity | undefined {
  const value = asBuffer(bytes)
  return isSealed(IDENTITY_KEY, value) ? parseIdentity(value.toString('utf8', SEAL_BYTES)) : undefined
}
