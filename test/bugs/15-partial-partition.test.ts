import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DetectedCluster, type Reach } from '../paxos/detected-cluster.ts'
import { seeded } from '../paxos/random.ts'

/** Ballots that one change of the network may use up. */
const BALLOTS_MAX = 3
const ELECTED_MS = 5_000
const QUIET_MS = 20_000

/** Links that work both ways, as pairs. */
function only(...pairs: readonly string[]): Reach {
  const links = new Set(pairs.flatMap((pair) => [pair, pair.split('').reverse().join('')]))
  return (from, to) => links.has(`${from}${to}`)
}

const SHAPES: readonly (readonly [name: string, size: number, reach: Reach])[] = [
  ['one switch fault: two cannot reach each other', 3, only('12', '23')],
  ['the leader reaches only one of four', 5, only('12', '23', '24', '25')],
  ['only the newest leader of a chain reaches a majority', 5, only('12', '23', '34', '45')],
  ['one direction of one link', 3, (from, to) => !(from === 1 && to === 3)],
  ['the leader is heard and does not hear', 3, (_, to) => to !== 1],
]

/*
 * The Cloudflare outage of 2020-11-02 and decentralizedthoughts of 2020-12-12; cockroach #107060: under a partial partition
 * elections went on for ever, or there was none. All graphs are in test/paxos/connectivity.test.ts; here are those of the
 * reports, each with a load and a long time afterwards.
 */
for (const [name, size, reach] of SHAPES) {
  test(`bug 15: a partial partition ends in one stable leader (${name})`, () => {
    const detected = new DetectedCluster(size, seeded(15))
    const { cluster } = detected
    const round = (): number => Math.max(...cluster.replicas.map(({ paxos }) => paxos?.promised.round ?? 0))
    const leading = (): string[] =>
      cluster.replicas.filter(({ paxos }) => paxos?.role === 'leader').map(({ id }) => `${id}`)
    detected.run(2_000)
    assert.deepEqual(leading(), ['1'])
    const before = round()
    detected.reach = reach
    detected.run(ELECTED_MS)
    const elected = leading()
    assert.equal(elected.length, 1, `Led by: ${elected.join(', ')}.`)
    assert.ok(round() - before <= BALLOTS_MAX, `${round() - before} ballots were used.`)
    const after = round()
    cluster.propose(Number(elected[0]), 'under it')
    detected.run(QUIET_MS)
    assert.deepEqual(leading(), elected)
    assert.equal(round(), after, 'Nobody campaigns against a leader that can lead.')
    assert.deepEqual(cluster.replica(Number(elected[0])).applied, ['under it'])
    detected.reach = () => true
    detected.run(ELECTED_MS)
    for (const { id, applied } of cluster.replicas) assert.deepEqual(applied, ['under it'], `Replica ${id}.`)
  })
}
