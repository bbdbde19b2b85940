import assert from 'node:assert/strict'
import { test } from 'node:test'
import { majority } from '../../src/paxos/quorum.ts'
import { DetectedCluster, type Reach } from './detected-cluster.ts'
import { seeded } from './random.ts'

/** Virtual milliseconds in which a leader has to stand, and then to stay. */
const ELECTED_MS = 5000
const STAYS_MS = 3000
/** Ballots that an election may use up under a fixed graph. */
const BALLOTS_MAX = 4

/** Ordered pairs of a graph's nodes, the bit of each in the graph's number being its place. */
function pairs(size: number, isDirected: boolean): [number, number][] {
  const all: [number, number][] = []
  for (let a = 1; a <= size; a++) {
    for (let b = 1; b <= size; b++) if (a < b || (isDirected && a !== b)) all.push([a, b])
  }
  return all
}

function reachOf(size: number, graph: number, isDirected: boolean): Reach {
  const edges = new Set<number>()
  for (const [place, [a, b]] of pairs(size, isDirected).entries()) {
    if ((graph >> place) % 2 === 0) continue
    edges.add(a * 10 + b)
    if (!isDirected) edges.add(b * 10 + a)
  }
  return (from, to) => edges.has(from * 10 + to)
}

function hasQuorumConnected(size: number, reach: Reach): boolean {
  const ids = Array.from({ length: size }, (_, place) => place + 1)
  return ids.some((a) => ids.filter((b) => a === b || (reach(a, b) && reach(b, a))).length >= majority(size))
}

function describeGraph(size: number, reach: Reach): string {
  const ids = Array.from({ length: size }, (_, place) => place + 1)
  const edges = ids.flatMap((a) => ids.filter((b) => a !== b && reach(a, b)).map((b) => `${a}>${b}`))
  return edges.length === 0 ? 'no edge' : edges.join(' ')
}

interface Kind {
  readonly isDirected: boolean
  /** The replicas start under the graph; else they have a leader of the whole graph first. */
  readonly isFromStart?: boolean
}

/** Under the graph somebody leads soon, stays, and decides, with few ballots. */
function checkGraph(size: number, graph: number, { isDirected, isFromStart = false }: Kind): boolean {
  const reach = reachOf(size, graph, isDirected)
  const detected = new DetectedCluster(size, seeded(graph * 10 + size))
  const { cluster } = detected
  if (!isFromStart) {
    detected.run(2000)
    assert.ok(cluster.leader, 'A whole graph has a leader.')
  }
  const roundBefore = cluster.leader?.paxos?.promised.round ?? 0
  detected.reach = reach
  detected.run(ELECTED_MS)
  const name = `N=${size}: ${describeGraph(size, reach)}`
  const leaders = (): string[] =>
    cluster.replicas
      .filter(({ paxos }) => paxos?.role === 'leader')
      .map(({ id, paxos }) => `${id} at ${paxos?.ballot.round}`)
  const elected = leaders()
  const round = Math.max(...cluster.replicas.map(({ paxos }) => paxos?.promised.round ?? 0))
  assert.ok(round - roundBefore <= BALLOTS_MAX, `${name} used ${round - roundBefore} ballots.`)
  if (!hasQuorumConnected(size, reach)) {
    assert.deepEqual(elected, [], `${name} has no quorum, so nobody leads.`)
    return false
  }
  assert.equal(elected.length, 1, `${name} has one leader, not: ${elected.join(', ')}.`)
  const leader = cluster.leader?.id ?? 0
  cluster.propose(leader, 'x')
  detected.run(STAYS_MS)
  assert.deepEqual(leaders(), elected, `${name} keeps its leader.`)
  assert.deepEqual(cluster.replica(leader).applied, ['x'], `${name} decides.`)
  return true
}

function checkGraphs(size: number, kind: Kind): void {
  const count = 2 ** pairs(size, kind.isDirected).length
  let connected = 0
  for (let graph = 0; graph < count; graph++) if (checkGraph(size, graph, kind)) connected++
  assert.ok(connected > 0, 'Some graph has a quorum.')
}

test('every directed graph of three voters with a quorum-connected one gets a stable leader', () => {
  checkGraphs(3, { isDirected: true })
})

test('every directed graph of three voters that start under it gets a stable leader', () => {
  checkGraphs(3, { isDirected: true, isFromStart: true })
})

test('every undirected graph of four voters with a quorum-connected one gets a stable leader', () => {
  checkGraphs(4, { isDirected: false })
})

test('every undirected graph of five voters with a quorum-connected one gets a stable leader', () => {
  checkGraphs(5, { isDirected: false })
})

test('a follower that hears its leader through another voter only does not canvass, and keeps up', () => {
  const detected = new DetectedCluster(3, seeded(7))
  const { cluster } = detected
  detected.run(1500)
  assert.equal(cluster.leader?.id, 1)
  detected.reach = (from, to) => from + to !== 4
  detected.run(1500)
  const { round } = cluster.paxos(3).promised
  cluster.propose(1, 'a', 'b')
  detected.run(3000)
  assert.equal(cluster.leader?.id, 1)
  assert.equal(cluster.paxos(3).promised.round, round)
  assert.deepEqual(cluster.replica(3).applied, ['a', 'b'])
})
