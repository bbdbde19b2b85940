import { memoryDisk, openMemoryStore } from '../../src/storage/memory-log-store.ts'
import { logStoreSuite } from './log-store-suite.ts'

logStoreSuite('memory', () => {
  const disk = memoryDisk()
  return (options) => openMemoryStore(disk, options)
})
