export { recoverUnsafely, startBroker, type RunningBroker, type UnsafeRecovery } from './broker.ts'
export { loadConfig, type BrokerConfig } from './config.ts'
export { ERROR_CODES, SynodError, type ErrorCode } from './errors.ts'
