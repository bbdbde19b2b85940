import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ChaosCluster } from '../chaos/chaos-cluster.ts'

/** Three brokers that pages of this machine may call. The logs are kept, and named, when `use` fails. */
export async function withCluster<T>(use: (cluster: ChaosCluster) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'synod-outside-'))
  const cluster = await ChaosCluster.start({ folder, brokers: 3, flags: PAGES_MAY_CALL })
  try {
    const result = await use(cluster)
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
    return result
  } catch (error) {
    await cluster.stop()
    console.log(`The brokers' logs and data are in ${folder}.`)
    throw error
  }
}

export const PAGES_MAY_CALL = { '--allowed-origins': 'loopback' }
