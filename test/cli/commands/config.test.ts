import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { runSynod } from '../run-synod.ts'

describe('synod config print', () => {
  test('shows the value of each setting and the source that won', async (t) => {
    const file = join(tempDir(t), 'broker.yaml')
    writeFileSync(file, 'brokerId: 3\nheartbeatMs: 50\nlogLevel: warn\npublic: { port: 7000 }\n')
    const secret = 'ab'.repeat(32)
    const env = { SYNOD_HEARTBEAT_MS: '60', SYNOD_LOG_LEVEL: 'error', SYNOD_CLUSTER_SECRET: secret }
    const args = ['config', 'print', '--config', file, '--log-level', 'debug']
    const { code, out } = await runSynod([...args, '--json'], env)
    assert.equal(code, EXIT.ok)
    const rows = JSON.parse(out) as { setting: string; value?: unknown; source: string; from?: string }[]
    const row = (setting: string): unknown => {
      const { value, source, from } = rows.find((each) => each.setting === setting) ?? assert.fail(setting)
      return [value, source, from]
    }
    assert.deepEqual(row('brokerId'), [3, 'file', file])
    assert.deepEqual(row('public.port'), [7000, 'file', file])
    assert.deepEqual(row('heartbeatMs'), [60, 'environment', 'SYNOD_HEARTBEAT_MS'])
    assert.deepEqual(row('logLevel'), ['debug', 'flag', '--log-level'])
    assert.deepEqual(row('public.host'), ['127.0.0.1', 'default', undefined])
    assert.deepEqual(row('failureDomain'), ['broker-3', 'default', undefined])
    assert.deepEqual(row('clusterSecret'), ['(hidden)', 'environment', 'SYNOD_CLUSTER_SECRET'])
    assert.ok(!out.includes(secret))
    const text = (await runSynod(args, env)).out
    assert.match(text, /^heartbeatMs +60 +environment SYNOD_HEARTBEAT_MS$/m)
    assert.ok(!text.includes(secret))
  })

  test('refuses unknown names of every source and says what may be meant', async (t) => {
    const file = join(tempDir(t), 'broker.yaml')
    writeFileSync(file, 'brokerId: 3\nheartbeat: 50\npublic: { prot: 7000 }\n')
    const { code, err } = await runSynod(['config', 'print', '--config', file], { SYNOD_LOGLEVEL: 'warn' })
    assert.equal(code, EXIT.usage)
    assert.match(err, /SYNOD_LOGLEVEL is not known \(did you mean SYNOD_LOG_LEVEL\?\)/)
    assert.match(err, /public\.prot is not known \(did you mean port\?\)/)
    assert.match(err, /heartbeat is not known \(did you mean heartbeatMs\?\)/)
    const option = await runSynod(['config', 'print', '--broker-id', '1', '--heartbeat', '5'])
    assert.equal(option.code, EXIT.usage)
    assert.match(option.err, /unknown option '--heartbeat'\n\(Did you mean --heartbeat-ms\?\)/)
  })
})
