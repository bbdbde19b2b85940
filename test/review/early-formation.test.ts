import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { Membership } from '../../src/broker/membership.ts'
import type { BrokerConfig } from '../../src/config.ts'
import { MemoryIdentityFile } from '../../src/storage/identity.ts'
import { openMemoryStore } from '../../src/storage/memory-log-store.ts'
import { brokerId, storeId } from '../../src/types/ids.ts'
import { InvariantError } from '../../src/types/invariant.ts'
import { PausableKeyValue } from '../support/pausable-key-value.ts'
import { turns } from '../support/virtual-clock.ts'

test('a broker that is told of its cluster before it has read its store says so, and takes it later', async () => {
  const store = await openMemoryStore(
    { journal: new PausableKeyValue(), index: new PausableKeyValue(), identity: new MemoryIdentityFile() },
    {
      brokerId: brokerId(2),
      randomStoreId: () => storeId(randomUUID().replaceAll('-', '')),
      nowMs: () => 0,
      schedule: () => {},
      onFailure: (error) => assert.fail(error),
    },
  )
  const seeds = [1, 2].map((id) => ({ id: brokerId(id), host: 'memory', port: id }))
  const config: Pick<BrokerConfig, 'brokerId' | 'seeds'> = { brokerId: brokerId(2), seeds }
  const membership = new Membership({
    config: config as BrokerConfig,
    store,
    askHello: () => Promise.reject(new Error('Nobody is there.')),
    tellFormation: () => Promise.reject(new Error('Nobody is there.')),
    controllers: () => undefined,
    drawClusterId: randomUUID,
    warn: () => {},
    isStopped: () => false,
    pause: () => turns(1),
  })
  const voters = [
    { broker: brokerId(1), store: storeId('1'.repeat(32)) },
    { broker: brokerId(2), store: store.identity.storeId },
  ]
  const formation = { clusterId: 'cluster', voters }
  await assert.rejects(membership.accept(formation), (error: unknown) => {
    assert.ok(!(error instanceof InvariantError), 'It would end the process.')
    return true
  })
  const joining = membership.join(await store.recover())
  await membership.accept(formation)
  const start = await joining
  assert.deepEqual(start?.recovered.state.configuration.voters, voters)
  assert.equal(store.identity.clusterId, 'cluster')
})
