import { randomInt, randomUUID } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { BrokerId, Replica as ReplicaId } from '../types/ids.ts'
import type { BrokerConfig } from '../config.ts'
import { DEFAULT_DETECTOR_TUNING, Detector } from '../detector/detector.ts'
import type { Logger } from '../observability/logger.ts'
import { SYSTEM_CLOCK } from '../partition/clock.ts'
import { Heartbeats } from '../partition/heartbeats.ts'
import { Hosting } from '../partition/hosting.ts'
import { Loop } from '../partition/loop.ts'
import { Registry } from '../partition/registry.ts'
import type { ReplicaHost } from '../partition/replica.ts'
import { Router } from '../partition/router.ts'
import { TailCache } from '../partition/tail-cache.ts'
import type { LevelLogStore } from '../storage/level-log-store.ts'
import { HttpTransport } from '../transport/http-transport.ts'

/** What runs the groups of one broker: loop, detector, transport, router. It knows no topics and no HTTP. */
export interface Engine {
  readonly self: ReplicaId
  readonly store: LevelLogStore
  readonly loop: Loop
  readonly registry: Registry
  readonly transport: HttpTransport
  readonly heartbeats: Heartbeats
  readonly router: Router
  readonly host: ReplicaHost
  readonly hosting: Hosting
}

export interface EngineOptions {
  readonly config: BrokerConfig
  readonly store: LevelLogStore
  readonly logger: Logger
  /** The store of a broker as the metadata has it. */
  storeOf(broker: number): ReplicaId['store'] | undefined
  fatal(error: unknown): void
}

export function buildEngine(options: EngineOptions): Engine {
  const { config, store, logger } = options
  const self: ReplicaId = { broker: config.brokerId, store: store.identity.storeId }
  const bootId = randomUUID()
  const registry = new Registry()
  const loop = new Loop(SYSTEM_CLOCK, () => !store.isSyncing)
  const transport = buildTransport(options, bootId)
  const heartbeats = buildHeartbeats(options, { bootId, registry, transport })
  const router = new Router({
    self: self.broker,
    registry,
    transport,
    clock: SYSTEM_CLOCK,
    isAlive: (broker: BrokerId) => heartbeats.isAlive(broker),
  })
  const host: ReplicaHost = {
    loop,
    store,
    checksum: (data, seed) => crc32(data, seed),
    bootNumber: randomInt(1, 2 ** 31),
    queued: { bytes: 0, bytesMax: config.memory.appendQueueBytesMax },
    send: (to, group, message) => transport.sendMessage(to, group, message),
    fatal: (error) => options.fatal(error),
  }
  const hosting = new Hosting({
    self,
    registry,
    host,
    cache: new TailCache(config.memory.tailCacheBytes),
    store,
    wallMs: Date.now,
    storeOf: (broker) => options.storeOf(broker),
    warn: (sentence) => logger.warn({}, sentence),
  })
  return { self, store, loop, registry, transport, heartbeats, router, host, hosting }
}

function buildTransport({ config, store, logger }: EngineOptions, bootId: string): HttpTransport {
  return new HttpTransport({
    self: config.brokerId,
    bootId,
    clusterId: () => store.identity.clusterId,
    secret: config.clusterSecret,
    bind: config.internal,
    isInsecureAllowed: config.insecureInternal,
    log: {
      info: (message, facts) => logger.info(facts ?? {}, message),
      warn: (message, facts) => logger.warn(facts ?? {}, message),
    },
  })
}

function buildHeartbeats(
  { config, store, logger }: EngineOptions,
  parts: { readonly bootId: string; readonly registry: Registry; readonly transport: HttpTransport },
): Heartbeats {
  const { heartbeatMs, suspectMs } = config
  const tuning = { ...DEFAULT_DETECTOR_TUNING, heartbeatMs, suspectMs }
  return new Heartbeats({
    detector: new Detector({ self: config.brokerId, bootId: parts.bootId, tuning }),
    registry: parts.registry,
    clock: SYSTEM_CLOCK,
    heartbeatMs,
    store,
    send: (to, heartbeat) => parts.transport.sendHeartbeat(to, heartbeat),
    onChange: (view) => {
      const alive = [...view.peers].filter(([, peer]) => peer.alive).map(([broker]) => broker)
      logger.debug({ alive }, 'The view of the other brokers changed.')
    },
  })
}
