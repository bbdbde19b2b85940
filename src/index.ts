export { startBroker, type RunningBroker } from './broker.ts'
export { loadConfig, type BrokerConfig } from './config.ts'
export { ERROR_CODES, SynodError, type ErrorCode } from './errors.ts'
