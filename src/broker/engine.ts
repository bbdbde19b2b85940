import { crc32 } from 'node:zlib'
import type { BrokerId, Replica as ReplicaId } from '../types/ids.ts'
import type { BrokerConfig } from '../config.ts'
import { DEFAULT_DETECTOR_TUNING, Detector } from '../detector/detector.ts'
import { Witness } from '../detector/witness.ts'
import type { Logger } from '../observability/logger.ts'
import type { Stages } from '../observability/stages.ts'
import { Digests } from '../partition/digests.ts'
import { Heartbeats, type HeartbeatOptions } from '../partition/heartbeats.ts'
import { Hosting } from '../partition/hosting.ts'
import { Loop, type LoopClock } from '../partition/loop.ts'
import { Registry } from '../partition/registry.ts'
import type { ReplicaHost } from '../partition/replica-host.ts'
import { Router } from '../partition/router.ts'
import { TailCache } from '../partition/tail-cache.ts'
import type { LogStore } from '../storage/log-store.ts'
import type { Transport } from '../transport/transport.ts'
import { Vouching } from './vouching.ts'

/** What runs the groups of one broker: loop, detector, transport, router. It knows no topics and no HTTP. */
export interface Engine {
  readonly self: ReplicaId
  readonly store: LogStore
  readonly loop: Loop
  readonly registry: Registry
  readonly transport: Transport
  readonly heartbeats: Heartbeats
  readonly vouching: Vouching
  readonly digests: Digests
  readonly router: Router
  readonly host: ReplicaHost
  readonly hosting: Hosting
  /** Epoch milliseconds. */
  readonly wallMs: () => number
  /** An id that nobody draws twice. */
  readonly drawId: () => string
}

export interface EngineOptions {
  readonly config: BrokerConfig
  readonly store: LogStore & { readonly isSyncing: boolean }
  readonly transport: Transport
  readonly clock: LoopClock
  readonly wallMs: () => number
  /** Drawn at each start of the process. */
  readonly bootId: string
  readonly drawId: () => string
  readonly logger: Logger
  readonly stages: Stages
  /** The store of a broker as the metadata has it registered, and the one that it runs on. */
  registeredStore(broker: number): ReplicaId['store'] | undefined
  presentStore(broker: number): ReplicaId['store'] | undefined
  fatal(error: unknown): void
}

export function buildEngine(options: EngineOptions): Engine {
  const { config, store, transport, clock, wallMs, drawId, logger } = options
  const self: ReplicaId = { broker: config.brokerId, store: store.identity.storeId }
  const registry = new Registry()
  const loop = new Loop(clock, () => !store.isSyncing)
  const witness = new Witness({ storeId: self.store, bootId: options.bootId })
  const heartbeats: Heartbeats = buildHeartbeats(options, registry, {
    witness,
    onForgotten: () => vouching.forgotten(),
    linksChanged: () => router.linksChanged(),
  })
  const vouching = new Vouching({
    store,
    bootId: options.bootId,
    witness,
    heartbeats,
    clock,
    error: (sentence) => logger.error({}, sentence),
    fatal: (error) => options.fatal(error),
  })
  const digests = buildDigests(options, registry, heartbeats)
  const router: Router = new Router({
    self: self.broker,
    registry,
    transport,
    clock,
    isAlive: (broker: BrokerId) => heartbeats.isVoting(broker, options.presentStore(broker)),
  })
  const host: ReplicaHost = {
    loop,
    store,
    checksum: (data, seed) => crc32(data, seed),
    bootNumber: 1 + Math.floor(clock.random() * (2 ** 31 - 1)),
    queued: { bytes: 0, bytesMax: config.memory.appendQueueBytesMax },
    stages: options.stages,
    send: (to, group, message) => transport.sendMessage(to, group, message),
    links: () => heartbeats.view,
    applied: (place) => digests.applied(place),
    fatal: (error) => options.fatal(error),
  }
  const hosting = new Hosting({
    self,
    registry,
    host,
    cache: new TailCache(config.memory.tailCacheBytes),
    store,
    wallMs,
    registeredStore: (broker) => options.registeredStore(broker),
    presentStore: (broker) => options.presentStore(broker),
    warn: (sentence) => logger.warn({}, sentence),
  })
  return {
    self,
    store,
    loop,
    registry,
    transport,
    heartbeats,
    vouching,
    digests,
    router,
    host,
    hosting,
    wallMs,
    drawId,
  }
}

function buildDigests(options: EngineOptions, registry: Registry, heartbeats: Heartbeats): Digests {
  const { config, transport, clock, logger } = options
  return new Digests({
    self: config.brokerId,
    clock,
    replicas: () => registry.replicas(),
    replica: (group) => registry.replica(group),
    isAlive: (broker) => heartbeats.isAlive(broker),
    send: (to, digest) => transport.sendDigest(to, digest),
    error: (sentence) => logger.error({}, sentence),
    fatal: (error) => options.fatal(error),
  })
}

function buildHeartbeats(
  { config, store, transport, clock, bootId, logger }: EngineOptions,
  registry: Registry,
  {
    linksChanged,
    ...parts
  }: Pick<HeartbeatOptions, 'witness' | 'onForgotten'> & { linksChanged: () => void },
): Heartbeats {
  const { heartbeatMs, suspectMs } = config
  const tuning = { ...DEFAULT_DETECTOR_TUNING, heartbeatMs, suspectMs }
  return new Heartbeats({
    detector: new Detector({ self: config.brokerId, bootId, tuning }),
    ...parts,
    registry,
    clock,
    heartbeatMs,
    store,
    send: (to, heartbeat) => transport.sendHeartbeat(to, heartbeat),
    onChange: (view) => {
      const alive = [...view.peers].filter(([, peer]) => peer.alive).map(([broker]) => broker)
      logger.debug({ alive }, 'The view of the other brokers changed.')
      linksChanged()
    },
  })
}
