import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Finding } from '../../../src/cli/doctor/finding.ts'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { startDev } from '../../support/dev-cluster.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { runSynod } from '../run-synod.ts'
import type { Run } from '../run-synod.ts'

function findingsOf({ out }: Run): readonly Finding[] {
  return JSON.parse(out) as readonly Finding[]
}

describe('synod doctor', () => {
  test('finds a running cluster well, and its port taken by its own broker', async (t) => {
    const cluster = await startDev(t, { brokers: 1 })
    const { url } = cluster.broker('1')
    const settings = [
      '--data-folder',
      cluster.folder,
      '--public-port',
      new URL(url).port,
      '--internal-port',
      '0',
    ]
    const run = await runSynod(['doctor', '--url', url, '--json', ...settings])
    assert.deepEqual(
      findingsOf(run).filter(({ level, about }) => level === 'problem' && about !== 'disk'),
      [],
    )
    const sentences = findingsOf(run).map(({ sentence }) => sentence)
    assert.ok(sentences.some((sentence) => sentence.includes('is in use, and broker 1 runs here')))
    assert.ok(sentences.some((sentence) => sentence.includes('With one broker none may fail')))
    assert.ok(sentences.includes('There are no topics yet.'))
  })

  test('ends with 1 at a port that is taken and a cluster that was named and does not answer', async (t) => {
    const server = createServer((_, response) => void response.end('not Synod')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    t.after(() => server.close())
    const port = String((server.address() as AddressInfo).port)
    const settings = [
      '--data-folder',
      join(tempDir(t), 'data'),
      '--public-port',
      port,
      '--internal-port',
      '0',
    ]
    const { code, out, err } = await runSynod(['doctor', '--url', 'http://127.0.0.1:2', ...settings])
    assert.equal(code, EXIT.refused)
    assert.match(
      out,
      /^problem +public\.port 127\.0\.0\.1:\d+ is taken or may not be used\.\n +Stop what listens there/m,
    )
    assert.match(out, /^problem +No broker answers at http:\/\/127\.0\.0\.1:2/m)
    assert.match(err, /^synod: \d problems? and \d warnings? found\./)
  })

  test('tells every setting that does not fit, from any source, with a suggestion', async () => {
    const run = await runSynod(['doctor', '--json', '--heartbeat-ms', '1'], { SYNOD_DATA_FODLER: 'x' })
    assert.equal(run.code, EXIT.refused)
    assert.deepEqual(
      findingsOf(run)
        .filter(({ about }) => about === 'settings')
        .map(({ sentence }) => sentence),
      [
        'The environment variable SYNOD_DATA_FODLER is not known (did you mean SYNOD_DATA_FOLDER?).',
        'The setting heartbeatMs is 1 but must be at least 10.',
      ],
    )
    const option = await runSynod(['doctor', '--data-fodler', 'x'])
    assert.equal(option.code, EXIT.usage)
    assert.match(option.err, /Did you mean --data-folder\?/)
  })
})
