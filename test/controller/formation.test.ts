import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  Formation,
  spreadConfiguration,
  type FirstConfiguration,
  type SeedStatus,
} from '../../src/controller/formation.ts'
import { brokerId, type BrokerId } from '../../src/types/ids.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'

/** A store that is formed by what is adopted. */
interface Seed {
  status: SeedStatus
  formation: Formation
  readonly warnings: string[]
  readonly adopted: FirstConfiguration[]
  readonly learnsFrom: FirstConfiguration[]
  isUp: boolean
  isStopped: boolean
}

function statusOf(id: number, clusterId = '', store = `store-${id}`): SeedStatus {
  return { brokerId: brokerId(id), storeId: store, clusterId, empty: clusterId === '' }
}

/** Seeds 1..n that reach each other in virtual time. */
class Seeds {
  readonly clock = new VirtualClock()
  readonly seeds = new Map<number, Seed>()
  readonly ids: readonly number[]
  drawn = 0

  constructor(statuses: readonly SeedStatus[]) {
    this.ids = statuses.map(({ brokerId: id }) => Number(id))
    for (const status of statuses) this.seeds.set(status.brokerId, this.#seed(status))
  }

  at(id: number): Seed {
    return this.seeds.get(id)!
  }

  /** Runs everybody who is empty for a while. */
  async run(forMs: number): Promise<void> {
    for (const seed of this.seeds.values()) if (seed.isUp && seed.status.empty) void seed.formation.join()
    await this.pass(forMs)
  }

  async pass(forMs: number): Promise<void> {
    for (let passed = 0; passed < forMs; passed += 50) {
      await turns(3)
      this.clock.advance(50)
    }
    await turns(3)
  }

  calls(self: BrokerId) {
    return {
      self: this.at(self).status,
      ask: (id: BrokerId) => this.#ask(id),
      tell: async (id: BrokerId, configuration: FirstConfiguration) => {
        await this.#ask(id)
        await this.at(id).formation.accept(configuration)
      },
      pause: (delayMs: number) => new Promise<void>((resolve) => void this.clock.later(resolve, delayMs)),
      isStopped: () => this.at(self).isStopped,
    }
  }

  /** As a process that comes again with the same store. */
  restart(id: number, status = this.at(id).status): void {
    this.at(id).isStopped = true
    this.seeds.set(id, this.#seed(status))
  }

  async #ask(id: BrokerId): Promise<SeedStatus> {
    await turns(1)
    const seed = this.at(id)
    if (!seed.isUp) throw new Error('refused')
    return seed.status
  }

  #seed(status: SeedStatus): Seed {
    const seed = {
      status,
      warnings: [] as string[],
      adopted: [] as FirstConfiguration[],
      learnsFrom: [] as FirstConfiguration[],
      isUp: true,
      isStopped: false,
    } as unknown as Seed
    seed.formation = new Formation({
      self: status,
      seeds: this.ids.map(brokerId),
      ask: (id) => this.#ask(id),
      tell: () => Promise.reject(new Error('Formation itself tells nobody.')),
      adopt: async (configuration) => {
        await turns(1)
        seed.adopted.push(configuration)
        seed.status = { ...status, clusterId: configuration.clusterId, empty: false }
      },
      adoptAsLearner: async (cluster) => {
        await turns(1)
        seed.learnsFrom.push(cluster)
        seed.status = { ...status, clusterId: cluster.clusterId, empty: false }
      },
      drawClusterId: () => `cluster-${++this.drawn}`,
      mayFound: () => status.empty,
      pause: (delayMs) => new Promise((resolve) => void this.clock.later(resolve, delayMs)),
      warn: (sentence) => void seed.warnings.push(sentence),
      isStopped: () => seed.isStopped || !seed.isUp,
    })
    return seed
  }

  spread(id: number): Promise<void> {
    return spreadConfiguration(this.at(id).adopted[0]!, this.calls(brokerId(id)))
  }
}

const three = () => [1, 2, 3].map((id) => statusOf(id))

test('the lowest seed forms the cluster when all answer that they are empty, and the others take it from it', async () => {
  const seeds = new Seeds(three())
  await seeds.run(100)
  const [configuration] = seeds.at(1).adopted
  assert.deepEqual(configuration, {
    clusterId: 'cluster-1',
    voters: [1, 2, 3].map((id) => ({ broker: brokerId(id), store: `store-${id}` })),
  })
  assert.deepEqual(seeds.at(2).adopted, [])
  void seeds.spread(1)
  await seeds.pass(2_000)
  for (const id of [2, 3]) assert.deepEqual(seeds.at(id).adopted, [configuration])
})

test('one seed alone is a cluster at once', async () => {
  const seeds = new Seeds([statusOf(4)])
  await seeds.run(50)
  assert.deepEqual(seeds.at(4).adopted[0]!.voters, [{ broker: brokerId(4), store: 'store-4' }])
})

test('nothing is formed while one seed does not answer, and it is said which', async () => {
  const seeds = new Seeds(three())
  seeds.at(3).isUp = false
  await seeds.run(10_000)
  assert.deepEqual(seeds.at(1).adopted, [])
  assert.deepEqual(seeds.at(1).warnings, ['Broker 3 does not answer yet (refused).'])
  seeds.restart(3)
  await seeds.run(1_000)
  assert.equal(seeds.at(1).adopted.length, 1)
})

test('two brokers that were wiped form no cluster over the data of the third, whichever they are', async () => {
  for (const full of [1, 2, 3]) {
    const seeds = new Seeds(
      three().map((each) => (Number(each.brokerId) === full ? statusOf(full, 'old') : each)),
    )
    await seeds.run(10_000)
    for (const id of [1, 2, 3]) assert.deepEqual(seeds.at(id).adopted, [], `${id} with ${full} full`)
  }
})

test('brokers that were wiped become part of the cluster of the third, and have no vote in it', async () => {
  const voters = three().map(({ brokerId: broker, storeId }) => ({ broker, store: `old-${storeId}` }))
  for (const full of [1, 2, 3]) {
    const seeds = new Seeds(
      three().map((each) =>
        Number(each.brokerId) === full ? { ...statusOf(full, 'old'), controllers: voters } : each,
      ),
    )
    await seeds.run(1_000)
    for (const id of [1, 2, 3]) {
      assert.deepEqual(seeds.at(id).adopted, [])
      assert.deepEqual(seeds.at(id).learnsFrom, id === full ? [] : [{ clusterId: 'old', voters }])
    }
    assert.equal(seeds.drawn, 0)
  }
})

test('a store that took the place of another one founds no cluster, also when all are such', async () => {
  const seeds = new Seeds(three().map((status) => ({ ...status, empty: false })))
  for (const id of seeds.ids) void seeds.at(id).formation.join()
  await seeds.pass(10_000)
  for (const id of seeds.ids) assert.deepEqual(seeds.at(id).adopted, [])
})

test('two brokers that were wiped wait for the third, which may hold the data', async () => {
  const seeds = new Seeds([statusOf(1), statusOf(2), statusOf(3, 'old')])
  seeds.at(3).isUp = false
  await seeds.run(30_000)
  assert.deepEqual([seeds.at(1).adopted, seeds.at(2).adopted], [[], []])
  seeds.at(3).isUp = true
  await seeds.pass(30_000)
  assert.deepEqual([seeds.at(1).adopted, seeds.at(2).adopted], [[], []])
})

test('a broker that was wiped is not told of its cluster again: its store is another one', async () => {
  const seeds = new Seeds(three())
  await seeds.run(100)
  seeds.restart(2, statusOf(2, '', 'another-store'))
  await seeds.run(0)
  await Promise.all([seeds.spread(1), seeds.pass(30_000)])
  assert.deepEqual(seeds.at(2).adopted, [])
  assert.equal(seeds.at(3).adopted.length, 1)
  await assert.rejects(
    seeds.at(2).formation.accept(seeds.at(1).adopted[0]!),
    /Store another-store of broker 2 is not part of cluster cluster-1/,
  )
})

test('a seed that was away while the others were told is told when it comes back', async () => {
  const seeds = new Seeds(three())
  await seeds.run(100)
  seeds.at(3).isUp = false
  let isEverybodyTold = false
  void seeds.spread(1).then(() => (isEverybodyTold = true))
  await seeds.pass(60_000)
  assert.deepEqual([seeds.at(2).adopted.length, isEverybodyTold], [1, false])
  seeds.restart(3)
  await seeds.run(22_000)
  assert.deepEqual([seeds.at(3).adopted.length, isEverybodyTold], [1, true])
})

test('telling ends when the broker stops', async () => {
  const seeds = new Seeds(three())
  await seeds.run(100)
  seeds.at(3).isUp = false
  const spread = seeds.spread(1)
  await seeds.pass(1_000)
  seeds.at(1).isStopped = true
  await Promise.all([spread, seeds.pass(11_000)])
})

test('a store takes one cluster, the same one twice, and no other', async () => {
  const seeds = new Seeds(three())
  const { formation, adopted } = seeds.at(2)
  const voters = [{ broker: brokerId(2), store: 'store-2' }]
  await formation.accept({ clusterId: 'first', voters })
  await formation.accept({ clusterId: 'first', voters })
  await assert.rejects(formation.accept({ clusterId: 'second', voters }), /takes no other cluster/)
  assert.equal(adopted.length, 1)
})

test('two formations that come at the same moment do not both count', async () => {
  const seeds = new Seeds(three())
  const { formation, adopted } = seeds.at(2)
  const voters = [{ broker: brokerId(2), store: 'store-2' }]
  const outcomes = await Promise.allSettled(
    ['first', 'second'].map((clusterId) => formation.accept({ clusterId, voters })),
  )
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  assert.equal(adopted.length, 1)
})

test('an address that answers as another broker forms nothing', async () => {
  const seeds = new Seeds(three())
  seeds.at(3).status = statusOf(2)
  await seeds.run(2_000)
  assert.deepEqual(seeds.at(1).adopted, [])
  assert.deepEqual(seeds.at(1).warnings, ['The address of broker 3 answers as broker 2: check the seeds.'])
})

test('a broker that stops stops looking', async () => {
  const seeds = new Seeds(three())
  seeds.at(3).isUp = false
  let hasEnded = false
  void seeds
    .at(1)
    .formation.join()
    .then(() => (hasEnded = true))
  await seeds.pass(1_000)
  seeds.at(1).isStopped = true
  await seeds.pass(1_000)
  assert.equal(hasEnded, true)
})
