import type { BrokerConfig } from '../../src/config.ts'
import { MEMORY_BYTES_MIN, memoryShares } from '../../src/config/memory.ts'
import type { BrokerId } from '../../src/types/ids.ts'
import type { BrokersScene } from './scene.ts'
import { portOf } from './transport.ts'

/** The settings of a simulated broker. */
export function brokerConfig(
  { swarm }: Pick<BrokersScene, 'swarm'>,
  id: BrokerId,
  seeds: readonly BrokerId[],
): BrokerConfig {
  return {
    brokerId: id,
    dataFolder: '',
    public: { host: '127.0.0.1', port: 0 },
    internal: { host: '127.0.0.1', port: 0 },
    publicUrl: undefined,
    seeds: seeds.map((seed) => ({ id: seed, host: `broker-${seed}`, port: portOf(seed) })),
    clusterSecret: undefined,
    failureDomain: '',
    autoCreateTopics: false,
    allowedOrigins: [],
    produceTimeoutMs: swarm.produceTimeoutMs,
    heartbeatMs: swarm.heartbeatMs,
    suspectMs: swarm.suspectMs,
    // The run itself says when disks are searched.
    scrubIntervalHours: 0,
    leaderBalance: 'on',
    replaceAfterMs: undefined,
    memory: {
      ...memoryShares(MEMORY_BYTES_MIN),
      tailCacheBytes: swarm.tailCacheBytes,
      appendQueueBytesMax: swarm.appendQueueBytesMax,
    },
    logLevel: 'error',
    insecure: false,
    insecureInternal: false,
  }
}
