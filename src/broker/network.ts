import type { BrokerConfig } from '../config.ts'
import type { Logger } from '../observability/logger.ts'
import { askHello, tellFormation } from '../transport/formation.ts'
import { HttpTransport } from '../transport/http-transport.ts'
import type { MembershipOptions } from './membership.ts'

const HELLO_TIMEOUT_MS = 1_000

/** The transport between brokers as a configuration wants it. */
export function buildTransport(
  config: BrokerConfig,
  parts: { readonly bootId: string; readonly clusterId: () => string; readonly logger: Logger },
): HttpTransport {
  const { logger, bootId, clusterId } = parts
  return new HttpTransport({
    self: config.brokerId,
    bootId,
    clusterId,
    secret: config.clusterSecret,
    bind: config.internal,
    isInsecureAllowed: config.insecureInternal,
    log: {
      info: (message, facts) => logger.info(facts ?? {}, message),
      warn: (message, facts) => logger.warn(facts ?? {}, message),
    },
  })
}

/** How founding brokers talk before there is a cluster. */
export function foundingCalls(config: BrokerConfig): Pick<MembershipOptions, 'askHello' | 'tellFormation'> {
  const options = { self: config.brokerId, secret: config.clusterSecret, timeoutMs: HELLO_TIMEOUT_MS }
  return {
    askHello: (address) => askHello(address, options),
    tellFormation: (address, formation) => tellFormation(address, formation, options),
  }
}
