import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CONTROLLER_GROUP, type BrokerId, type GroupId, type Replica as ReplicaId } from '../types/ids.ts'
import type { Topic } from '../types/topic.ts'
import type { BrokerConfig } from '../config.ts'
import { Metadata } from '../controller/metadata.ts'
import { SynodError } from '../errors.ts'
import { majority } from '../paxos/quorum.ts'
import { parseIdentity } from '../storage/identity.ts'
import { LevelLogStore } from '../storage/level-log-store.ts'
import type { LogStore, RecoveredGroup } from '../storage/log-store.ts'
import type { Hello, PeerAddress } from '../transport/transport.ts'
import { foundingCalls } from './network.ts'
import { lastHeld, writeRecovery, type RecoveryNote } from './write-recovery.ts'

/** What the folder holds of one group that has lost its majority. */
export interface LostGroup {
  readonly group: GroupId
  /** 'the metadata', or a partition by its name. */
  readonly name: string
  readonly configuration: number
  readonly voters: readonly BrokerId[]
  /** Slots known here to be chosen, and the last one held: what the others had above it is lost. */
  readonly chosen: number
  readonly through: number
  readonly nextOffset: number
}

/** What going on alone means, or meant. */
export interface UnsafeRecovery {
  readonly broker: BrokerId
  readonly store: string
  readonly clusterId: string
  readonly groups: readonly LostGroup[]
  /** Partitions of which this folder holds nothing that could vote: they stay as they are. */
  readonly elsewhere: readonly string[]
  readonly isDone: boolean
}

export interface UnsafeRecoveryOptions {
  /** False: only looks. */
  readonly isConfirmed: boolean
  /** Who does it, for the record. */
  readonly by: string
  readonly wallMs: number
  /** Asks the broker at an address who it is; rejects when nobody answers. */
  readonly askHello?: (address: PeerAddress) => Promise<Hello>
}

/**
 * Makes the broker of a folder the only voter of what it holds, when the others are lost for good (`unsafe-recover`). Offline: the
 * broker must not run. All that it holds counts as chosen from then on, and what only the others held is lost; an operation in
 * the metadata and a stop-sign in each log tell of it for ever.
 *
 * Errors: DataFolderError, DamagedStoreError for the folder; 'would-lose-quorum' when other voters are alive; 'internal' when the
 * store cannot be trusted, or holds no cluster.
 */
export async function recoverUnsafely(
  config: BrokerConfig,
  options: UnsafeRecoveryOptions,
): Promise<UnsafeRecovery> {
  const { brokerId, dataFolder } = config
  await checkFolder(dataFolder)
  const failures: Error[] = []
  const store = await LevelLogStore.open(dataFolder, {
    brokerId,
    onFailure: (error) => failures.push(error),
    onIdle: () => {},
  })
  try {
    const recovery = await recover(store, config, options)
    if (failures[0] !== undefined) throw failures[0]
    return recovery
  } finally {
    await store.close()
  }
}

async function recover(
  store: LogStore,
  config: BrokerConfig,
  options: UnsafeRecoveryOptions,
): Promise<UnsafeRecovery> {
  const { clusterId, storeId } = store.identity
  const self = { broker: config.brokerId, store: storeId }
  const found = await store.recover()
  const own = found.find(({ group }) => group === CONTROLLER_GROUP)
  if (own === undefined || clusterId === '')
    throw refusal('The folder belongs to no cluster: there is nothing to recover.')
  if (store.hasForgotten || (await store.notes.read('outsider')) !== undefined)
    throw refusal('The disk has lost writes that it had confirmed: this folder is not to be trusted.')
  const metadata = metadataOf(own, await store.recoverRows(CONTROLLER_GROUP))
  const { askHello = foundingCalls(config).askHello } = options
  const living = await livingVoters(metadata, self, { clusterId, askHello })
  const lost = found.filter((each) => isVoter(each, self) && !hasMajority(each, [self, ...living]))
  if (!lost.includes(own)) {
    if (hasMajority(own, [self, ...living])) throw notNeeded(own, living)
    lost.unshift(own)
  }
  checkOthers(lost, living)
  checkDamage(lost)
  const names = namesOf(metadata.topics())
  const voting = new Set(found.filter((each) => isVoter(each, self)).map(({ group }) => group))
  const recovery: UnsafeRecovery = {
    broker: self.broker,
    store: storeId,
    clusterId,
    groups: lost.map((each) => describe(each, names)),
    elsewhere: [...names].filter(([group]) => !voting.has(group)).map(([, name]) => name),
    isDone: options.isConfirmed,
  }
  if (!options.isConfirmed) return recovery
  const note: RecoveryNote = {
    requestId: randomUUID(),
    atMs: options.wallMs,
    text: noteOf(recovery, options.by),
  }
  await store.begin()
  await writeRecovery(store, self, lost, note)
  return recovery
}

/** A folder without a store would be formatted by opening it. */
async function checkFolder(folder: string): Promise<void> {
  const text = await readFile(join(folder, 'store.json'), 'utf8').catch(() => '')
  if (parseIdentity(text) === undefined) throw refusal(`There is no store in ${folder}.`)
}

function metadataOf(own: RecoveredGroup, rows: Awaited<ReturnType<LogStore['recoverRows']>>): Metadata {
  const metadata = new Metadata()
  metadata.restore(rows, { slot: own.applied.slot, nextOffset: 0, lastAppendedAtMs: 0 })
  // All that is held counts as chosen from now on, so it is applied here as well.
  if (own.damaged.length === 0) for (const entry of own.tail) metadata.apply(entry)
  return metadata
}

/** Other members that run on the stores that vote. */
async function livingVoters(
  metadata: Metadata,
  self: ReplicaId,
  { clusterId, askHello }: { clusterId: string; askHello(address: PeerAddress): Promise<Hello> },
): Promise<readonly ReplicaId[]> {
  const others = metadata.brokers().filter(({ id }) => id !== self.broker)
  const answers = await Promise.allSettled(
    others.map(({ internalHost, internalPort }) => askHello({ host: internalHost, port: internalPort })),
  )
  return answers.flatMap((answer) => {
    if (answer.status === 'rejected' || answer.value.clusterId !== clusterId) return []
    const { brokerId, storeId } = answer.value
    return [{ broker: brokerId, store: storeId as ReplicaId['store'] }]
  })
}

function isVoter({ state }: RecoveredGroup, self: ReplicaId): boolean {
  const { number, voters } = state.configuration
  return number > state.minConfiguration && among(voters, self)
}

function among(voters: readonly ReplicaId[], one: ReplicaId): boolean {
  return voters.some(({ broker, store }) => broker === one.broker && store === one.store)
}

function hasMajority({ state }: RecoveredGroup, living: readonly ReplicaId[]): boolean {
  const { voters } = state.configuration
  return living.filter((one) => among(voters, one)).length >= majority(voters.length)
}

function notNeeded({ state }: RecoveredGroup, living: readonly ReplicaId[]): SynodError {
  const alive = living.map(({ broker }) => broker).join(', ')
  const voters = state.configuration.voters.map(({ broker }) => broker).join(', ')
  const others = alive === '' ? 'This broker alone is' : `With brokers ${alive} this broker is`
  return new SynodError('would-lose-quorum', `${others} a majority of ${voters}: nothing is lost.`, {
    hint: 'Start this broker as usual.',
  })
}

/** Whoever is alive and votes could go on with a log of its own. */
function checkOthers(lost: readonly RecoveredGroup[], living: readonly ReplicaId[]): void {
  const other = living.find((one) => lost.some(({ state }) => among(state.configuration.voters, one)))
  if (other === undefined) return
  throw new SynodError('would-lose-quorum', `Broker ${other.broker} is alive and votes too.`, {
    hint: 'Choose the broker that holds most. Stop the others, and start them with empty data folders when this one serves.',
  })
}

function checkDamage(lost: readonly RecoveredGroup[]): void {
  const damaged = lost.find((each) => each.damaged.length > 0)
  if (damaged !== undefined)
    throw refusal(`Group ${damaged.group} has damaged entries, which only another replica could mend.`)
}

function namesOf(topics: Iterable<Topic>): ReadonlyMap<GroupId, string> {
  const names = new Map<GroupId, string>()
  for (const { name, partitions } of topics)
    for (const { group, partition } of partitions) names.set(group, `${name}/${partition}`)
  return names
}

function describe(found: RecoveredGroup, names: ReadonlyMap<GroupId, string>): LostGroup {
  const { group, state, applied } = found
  const { number, voters, fromSlot } = state.configuration
  return {
    group,
    name: group === CONTROLLER_GROUP ? 'the metadata' : (names.get(group) ?? `group ${group}`),
    configuration: number,
    voters: voters.map(({ broker }) => broker),
    chosen: Math.max(applied.slot, fromSlot),
    through: lastHeld(found),
    nextOffset: applied.nextOffset,
  }
}

function noteOf({ broker, groups, elsewhere }: UnsafeRecovery, by: string): string {
  const voters = [...new Set(groups.flatMap((each) => each.voters))].sort((a, b) => a - b).join(', ')
  const left = elsewhere.length === 0 ? '' : ` ${elsewhere.length} partitions were not on it.`
  return `${by} made broker ${broker} go on alone with ${groups.length} groups of the brokers ${voters}. What only the others held is lost.${left}`
}

function refusal(sentence: string): SynodError {
  return new SynodError('internal', sentence)
}
