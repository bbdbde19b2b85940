import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { loadConfig } from '../src/config.ts'
import type { ConfigInput, LoadedConfig } from '../src/config.ts'
import { SynodError } from '../src/errors.ts'
import { tempDir } from './support/temp-dir.ts'

const SECRET = 'ab'.repeat(32)

function load(input: Partial<ConfigInput>): LoadedConfig {
  return loadConfig({ file: undefined, env: {}, flags: { brokerId: '1' }, ...input })
}

/** The sentences with which loading fails. */
function problems(input: Partial<ConfigInput>): string[] {
  try {
    load(input)
  } catch (error) {
    assert.ok(error instanceof SynodError)
    assert.equal(error.code, 'invalid-config')
    return error.message.split('\n')
  }
  assert.fail('Loading succeeded.')
}

describe('precedence', () => {
  test('takes flags before the environment, the environment before the file, the file before defaults', (t) => {
    const file = join(tempDir(t), 'broker.yaml')
    writeFileSync(
      file,
      'brokerId: 2\npublic:\n  port: 1\n  host: localhost\nheartbeatMs: 50\nlogLevel: warn\n',
    )
    const { config, sources } = load({
      file,
      env: { SYNOD_PUBLIC_PORT: '2', SYNOD_LOG_LEVEL: 'error', PATH: '/bin' },
      flags: { 'public.port': '3', insecure: undefined },
    })
    assert.equal(config.brokerId, 2)
    assert.deepEqual(config.public, { host: 'localhost', port: 3 })
    assert.equal(config.logLevel, 'error')
    assert.equal(config.heartbeatMs, 50)
    assert.equal(config.suspectMs, 1_000)
    assert.equal(sources.get('public.port'), 'flag')
    assert.equal(sources.get('logLevel'), 'environment')
    assert.equal(sources.get('public.host'), 'file')
    assert.equal(sources.get('suspectMs'), 'default')
  })

  test('reads JSON as well as YAML', (t) => {
    const file = join(tempDir(t), 'broker.json')
    writeFileSync(file, '{"brokerId": 7, "memory": "2GiB", "seeds": ["7=127.0.0.1:9080"]}')
    const { config } = load({ file, flags: {} })
    assert.equal(config.brokerId, 7)
    assert.equal(config.memory.tailCacheBytes, 64 * 1024 * 1024)
    assert.deepEqual(config.seeds, [{ id: 7, host: '127.0.0.1', port: 9080 }])
  })

  test('reads booleans, numbers and lists from texts', () => {
    const { config } = load({
      env: { SYNOD_AUTO_CREATE_TOPICS: 'true', SYNOD_SEEDS: '1=127.0.0.1:1, 2=[::1]:2' },
      flags: { brokerId: '1', insecure: true, produceTimeoutMs: '700' },
    })
    assert.equal(config.autoCreateTopics, true)
    assert.equal(config.insecure, true)
    assert.equal(config.produceTimeoutMs, 700)
    assert.deepEqual(
      config.seeds.map((seed) => seed.host),
      ['127.0.0.1', '::1'],
    )
  })

  test('binds to this machine only unless told otherwise', () => {
    const { config } = load({})
    assert.equal(config.public.host, '127.0.0.1')
    assert.equal(config.internal.host, '127.0.0.1')
    assert.equal(config.clusterSecret, undefined)
    assert.equal(config.failureDomain, 'broker-1')
  })

  test('takes an empty variable as one that is not set', () => {
    assert.equal(load({ env: { SYNOD_PUBLIC_URL: '' } }).config.publicUrl, undefined)
  })
})

describe('unknown names', () => {
  test('refuses an unknown setting of the file and suggests the near one', (t) => {
    const file = join(tempDir(t), 'broker.yaml')
    writeFileSync(file, 'brokerId: 1\nheartbeatMS: 50\npublic:\n  prot: 1\n')
    assert.deepEqual(problems({ file }), [
      'The setting public.prot is not known (did you mean port?).',
      'The setting heartbeatMS is not known (did you mean heartbeatMs?).',
    ])
  })

  test('refuses an unknown SYNOD_ variable and suggests the near one', () => {
    assert.deepEqual(problems({ env: { SYNOD_BROKERID: '1' } }), [
      'The environment variable SYNOD_BROKERID is not known (did you mean SYNOD_BROKER_ID?).',
    ])
  })

  test('lets pass the variables of commands, and those that Kubernetes makes for a service of the name', () => {
    const env = {
      SYNOD_URL: 'http://x',
      SYNOD_PORT: 'tcp://10.0.0.1:80',
      SYNOD_SERVICE_HOST: '10.0.0.1',
      SYNOD_PORT_80_TCP: 'x',
    }
    assert.equal(load({ env }).config.brokerId, 1)
  })

  test('does not take a name of the object prototype for a setting', (t) => {
    const file = join(tempDir(t), 'broker.yaml')
    writeFileSync(file, 'brokerId: 1\nconstructor: 5\n')
    assert.deepEqual(problems({ file }), ['The setting constructor is not known.'])
  })
})

describe('memory', () => {
  test('is a size, and gives each cache, queue and buffer its share', () => {
    const shares = load({ flags: { brokerId: '1', memory: '256MiB' } }).config.memory
    assert.equal(shares.tailCacheBytes, 8 * 2 ** 20)
    assert.equal(shares.bodyBytesMax, 16 * 2 ** 20)
    assert.equal(load({}).config.memory.tailCacheBytes, 32 * 2 ** 20)
  })

  test('refuses what is no size, and what is too little to work with', () => {
    for (const memory of ['', '1', '512MB', '-1MiB', '0.5GiB', 'MiB'])
      assert.match(problems({ flags: { brokerId: '1', memory } })[0] ?? '', /is no size: 512MiB and 2GiB are/)
    assert.deepEqual(problems({ flags: { brokerId: '1', memory: '127MiB' } }), [
      'memory 127MiB is too little: at least 128MiB.',
    ])
  })
})

describe('values', () => {
  test('names the setting, the value and what it must be', () => {
    assert.deepEqual(problems({ flags: {} }), ['The setting brokerId is missing.'])
    assert.deepEqual(problems({ flags: { brokerId: '70000' } }), [
      'The setting brokerId is 70000 but must be at most 65535.',
    ])
    assert.deepEqual(problems({ flags: { brokerId: 'one' } }), [
      'The setting brokerId is "one" but must be of type number.',
    ])
    assert.deepEqual(problems({ env: { SYNOD_LOG_LEVEL: 'loud' } }), [
      'The setting logLevel is "loud" but must be one of debug, info, warn, error.',
    ])
    assert.deepEqual(problems({ env: { SYNOD_PUBLIC_URL: 'ftp://x' } }), [
      'The setting publicUrl is "ftp://x" but must be a valid url.',
    ])
  })

  test('reports every problem at once', () => {
    assert.equal(problems({ flags: { brokerId: '0', heartbeatMs: '1' } }).length, 2)
  })

  test('takes at most seven seeds', () => {
    const seeds = Array.from({ length: 8 }, (_, index) => `${index + 1}=127.0.0.1:${9_000 + index}`)
    assert.equal(load({ env: { SYNOD_SEEDS: seeds.slice(0, 7).join(',') } }).config.seeds.length, 7)
    assert.match(problems({ env: { SYNOD_SEEDS: seeds.join(',') } })[0] ?? '', /must be a list of at most 7/)
  })

  test('refuses a file that is missing or no object', (t) => {
    const file = join(tempDir(t), 'broker.yaml')
    assert.match(problems({ file })[0] ?? '', /^The configuration file .* cannot be read: ENOENT/)
    writeFileSync(file, '- 1\n')
    assert.match(problems({ file })[0] ?? '', /is not an object of settings/)
    writeFileSync(file, 'a: [\n')
    assert.match(problems({ file })[0] ?? '', /cannot be read/)
  })
})

describe('settings that must fit together', () => {
  test('refuses a public address off this machine without insecure', () => {
    const flags = { brokerId: '1', 'public.host': '10.0.0.1' }
    assert.match(
      problems({ flags })[0] ?? '',
      /^public.host 10.0.0.1 is open to other machines .* set insecure/,
    )
    assert.equal(load({ flags: { ...flags, insecure: true } }).config.public.host, '10.0.0.1')
  })

  test('refuses an internal address off this machine without a secret', () => {
    const flags = { brokerId: '1', 'internal.host': '10.0.0.1' }
    assert.match(problems({ flags })[0] ?? '', /set clusterSecretFile/)
    assert.equal(load({ flags: { ...flags, insecureInternal: true } }).config.clusterSecret, undefined)
    assert.equal(load({ flags, env: { SYNOD_CLUSTER_SECRET: SECRET } }).config.clusterSecret?.length, 32)
  })

  test('refuses an address that others cannot use', () => {
    const env = { SYNOD_CLUSTER_SECRET: SECRET }
    assert.match(
      problems({ env, flags: { brokerId: '1', 'internal.host': '0.0.0.0' } })[0] ?? '',
      /others cannot know the address/,
    )
    assert.match(
      problems({ flags: { brokerId: '1', 'public.host': '0.0.0.0', insecure: true } })[0] ?? '',
      /clients cannot know the address: set publicUrl/,
    )
    assert.match(
      problems({ env: { SYNOD_SEEDS: '1=10.0.0.1:9080' } })[0] ?? '',
      /cannot be reached from other machines/,
    )
  })

  test('refuses seeds that share an id or an address, or have another form', () => {
    assert.deepEqual(problems({ env: { SYNOD_SEEDS: '1=127.0.0.1:1,1=127.0.0.1:2,3=127.0.0.1:1,x' } }), [
      "The seed 'x' is not of the form id=host:port, for example 1=10.0.0.1:9080.",
      'Two seeds have the id 1.',
      'Two seeds have the address 127.0.0.1:1.',
    ])
  })

  test('refuses one port for both listeners and a suspicion that comes too soon', () => {
    const flags = { brokerId: '1', 'public.port': '9000', 'internal.port': '9000', suspectMs: '200' }
    assert.deepEqual(problems({ flags }), [
      'public.port and internal.port are both 9000.',
      'suspectMs 200 must be at least three times heartbeatMs 100.',
    ])
  })
})

describe('the cluster secret', () => {
  test('comes from a file that only its owner can read', (t) => {
    const file = join(tempDir(t), 'secret')
    writeFileSync(file, `${SECRET}\n`, { mode: 0o600 })
    const env = { SYNOD_CLUSTER_SECRET_FILE: file }
    assert.deepEqual(load({ env }).config.clusterSecret, Buffer.from(SECRET, 'hex'))
    chmodSync(file, 0o644)
    assert.deepEqual(problems({ env }), [`${file} can be read by others: run chmod 600 ${file}.`])
  })

  test('is refused as a flag, when given twice, and when too short, and is never shown', () => {
    assert.match(
      problems({ flags: { brokerId: '1', clusterSecret: SECRET } })[0] ?? '',
      /can be read by everybody/,
    )
    const short = problems({ env: { SYNOD_CLUSTER_SECRET: 'abcd12' } })
    assert.deepEqual(short, [
      'The cluster secret must be at least 64 hex digits: openssl rand -hex 32 makes one.',
    ])
    const both = problems({ env: { SYNOD_CLUSTER_SECRET: SECRET, SYNOD_CLUSTER_SECRET_FILE: '/nowhere' } })
    assert.equal(both[0], 'Set clusterSecret or clusterSecretFile, not both.')
    assert.ok(!both.join('').includes(SECRET))
  })
})
