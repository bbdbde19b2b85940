import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SynodError, type ErrorCode } from '../../src/errors.ts'
import { Registry, type AnyReplica } from '../../src/partition/registry.ts'
import { Router, type RoutedCall } from '../../src/partition/router.ts'
import { PeerLost, PeerUnreachable, type Transport } from '../../src/transport/transport.ts'
import { brokerId, groupId, type BrokerId } from '../../src/types/ids.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'

const SELF = brokerId(1)
const GROUP = groupId(7)
const ROUTED = { group: GROUP, replicas: [1, 2, 3].map(brokerId) }

type Reaction = string | Error | { readonly afterMs: number; readonly answer: string | Error }

/** A router whose peers and own replica answer as the test lays down, one reaction a call. */
function open(options: { readonly isHere?: boolean; readonly alive?: readonly number[] } = {}) {
  const clock = new VirtualClock()
  const registry = new Registry()
  const paxos = { isVoter: true, leader: undefined as BrokerId | undefined }
  const replica = { group: GROUP, paxos, links: () => {} }
  if (options.isHere !== false) registry.addReplica(replica as unknown as AnyReplica)
  const asked: string[] = []
  const reactions: Reaction[] = []
  const react = async (): Promise<string> => {
    const reaction = reactions.shift() ?? 'done'
    const isSlow = typeof reaction === 'object' && 'afterMs' in reaction
    if (isSlow) await new Promise<void>((resolve) => clock.later(resolve, reaction.afterMs))
    const answer = isSlow ? reaction.answer : reaction
    if (typeof answer === 'string') return answer
    throw answer
  }
  const transport = {
    request: async (
      to: BrokerId,
      _request: unknown,
      { timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal },
    ) => {
      asked.push(`broker ${to} within ${timeoutMs}`)
      const isCut = new Promise<never>((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new PeerLost('The request was cancelled.')))
      })
      return Buffer.from(await Promise.race([react(), isCut]))
    },
  } as unknown as Transport
  const alive = new Set((options.alive ?? [2, 3]).map(brokerId))
  const router = new Router({
    self: SELF,
    registry,
    transport,
    clock,
    isAlive: (broker) => alive.has(broker),
  })
  const call = (changes: RoutedCall<string>['changes'] = 'each-time'): RoutedCall<string> => ({
    kind: 'test',
    changes,
    body: () => Buffer.from(''),
    decode: (answer, from) => `${Buffer.from(answer).toString()} by ${from}`,
    local: async (timeoutMs) => {
      asked.push(`here within ${timeoutMs}`)
      return `${await react()} here`
    },
  })
  /** Runs a call to its end in virtual time, and tells when that was. */
  const run = async (changes?: RoutedCall<string>['changes'], timeoutMs = 10_000) => {
    const startedMs = clock.nowMs()
    let outcome: string | undefined
    router.atLeader(ROUTED, call(changes), timeoutMs).then(
      (answer) => (outcome = answer),
      (error: { code?: string; message: string }) => (outcome = error.code ?? error.message),
    )
    while (outcome === undefined) {
      await turns(1)
      if (outcome === undefined) clock.advance(10)
    }
    return { outcome, tookMs: clock.nowMs() - startedMs }
  }
  const setLeader = (leader: number | undefined) => {
    replica.paxos.leader = leader === undefined ? undefined : brokerId(leader)
    registry.leaderChanged(GROUP)
  }
  const miss = (broker: number) => {
    alive.delete(brokerId(broker))
    router.linksChanged()
  }
  return { clock, router, asked, reactions, run, setLeader, miss }
}

const error = (code: ErrorCode, facts = {}) => new SynodError(code, `It is ${code}.`, { facts })

test('a call is carried out here if this broker leads, else by one hop to who does', async () => {
  const { asked, run, setLeader } = open()
  setLeader(1)
  assert.equal((await run()).outcome, 'done here')
  setLeader(3)
  assert.equal((await run()).outcome, 'done by 3')
  assert.deepEqual(asked, ['here within 10000', 'broker 3 within 10500'])
})

test('a call waits for a leader for a while, and takes it up at once', async () => {
  const { clock, run, setLeader } = open()
  clock.later(() => setLeader(2), 700)
  const { outcome, tookMs } = await run()
  assert.equal(outcome, 'done by 2')
  assert.ok(tookMs >= 700 && tookMs < 750, `${tookMs} ms`)
})

test('without a leader the answer says whether there is a majority at all', async () => {
  const withMajority = await open().run()
  assert.equal(withMajority.outcome, 'no-leader')
  assert.ok(withMajority.tookMs >= 1_500 && withMajority.tookMs < 1_600, `${withMajority.tookMs} ms`)
  assert.equal((await open({ alive: [] }).run()).outcome, 'no-quorum')
})

test('who holds no replica asks those who do, follows their hints and remembers the leader', async () => {
  const { router, asked, reactions, run } = open({ isHere: false })
  reactions.push(error('no-leader'), error('no-leader', { leader: 2 }), 'done', 'again')
  assert.equal((await run()).outcome, 'done by 2')
  assert.equal(router.leaderOf(GROUP), 2)
  assert.equal((await run()).outcome, 'again by 2')
  assert.deepEqual(
    asked.map((line) => line.slice(0, 8)),
    ['broker 2', 'broker 3', 'broker 2', 'broker 2'],
  )
})

test('what is harmless to repeat moves on when the broker that was asked is missed', async () => {
  for (const changes of ['once', 'nothing'] as const) {
    const { clock, asked, reactions, run, setLeader, miss } = open()
    setLeader(2)
    reactions.push({ afterMs: 5_000, answer: 'late' }, 'done')
    clock.later(() => miss(2), 1_000)
    clock.later(() => setLeader(3), 1_100)
    const { outcome, tookMs } = await run(changes)
    assert.equal(outcome, 'done by 3')
    assert.ok(tookMs < 1_200, `${tookMs} ms`)
    assert.equal(asked.length, 2)
  }
})

test('what would be done twice waits for its answer, however silent the broker that works on it', async () => {
  const { clock, asked, reactions, run, setLeader, miss } = open()
  setLeader(2)
  reactions.push({ afterMs: 5_000, answer: 'late' })
  clock.later(() => miss(2), 1_000)
  clock.later(() => setLeader(3), 1_100)
  assert.equal((await run('each-time')).outcome, 'late by 2')
  assert.equal(asked.length, 1)
})

test('a hint at a broker that can not be reached is forgotten', async () => {
  const { router, reactions, run } = open({ isHere: false })
  await run()
  reactions.push(new PeerUnreachable('gone'), 'done')
  assert.equal((await run()).outcome, 'done by 2')
  reactions.push(new PeerUnreachable('gone'))
  const refused = await open({ isHere: false, alive: [] }).run()
  assert.equal(refused.outcome, 'no-quorum')
  assert.equal(router.leaderOf(GROUP), 2)
})

test('what was not taken is tried again: nobody was reached, nobody led, too few were in sync, it drained', async () => {
  const { asked, reactions, run, setLeader } = open()
  setLeader(2)
  reactions.push(
    new PeerUnreachable('no lane'),
    error('no-leader'),
    error('not-enough-in-sync'),
    error('draining'),
  )
  assert.equal((await run()).outcome, 'done by 2')
  assert.equal(asked.length, 5)
})

test('a leader that has too few in sync for long says so in the end', async () => {
  const { reactions, run, setLeader } = open()
  setLeader(2)
  for (let count = 0; count < 100; count++) reactions.push(error('not-enough-in-sync'))
  const { outcome, tookMs } = await run()
  assert.equal(outcome, 'not-enough-in-sync')
  assert.ok(tookMs >= 1_500 && tookMs < 1_600, `${tookMs} ms`)
})

test('a change that was lost on the way is never sent twice unless that is harmless', async () => {
  for (const [changes, expected, attempts] of [
    ['each-time', 'outcome-unknown', 1],
    ['once', 'done by 2', 2],
    ['nothing', 'done by 2', 2],
  ] as const) {
    const { asked, reactions, run, setLeader } = open()
    setLeader(2)
    reactions.push(new PeerLost('cut'))
    assert.equal((await run(changes)).outcome, expected)
    assert.equal(asked.length, attempts)
  }
})

test('after a lost change no refusal says that nothing was done', async () => {
  const refusals = [
    ...(['overloaded', 'disk-full', 'no-leader', 'not-enough-in-sync', 'draining'] as const),
    ...(['not-enough-brokers', 'would-lose-quorum', 'topic-not-found', 'invalid-config'] as const),
    ...(['topic-deleted', 'topic-config-differs', 'reassignment-in-progress'] as const),
  ]
  for (const refusal of refusals) {
    const { reactions, run, setLeader } = open()
    setLeader(2)
    reactions.push(new PeerLost('cut'))
    for (let count = 0; count < 100; count++) reactions.push(error(refusal))
    assert.equal((await run('once')).outcome, 'outcome-unknown', refusal)
  }
})

test('after a lost change what the log decided of the retry is told, and a lost read leaves no doubt', async () => {
  for (const decided of ['sequence-gap', 'idempotency-key-reused', 'offset-mismatch'] as const) {
    const { reactions, run, setLeader } = open()
    setLeader(2)
    reactions.push(new PeerLost('cut'), error(decided))
    assert.equal((await run('once')).outcome, decided)
  }
  const { reactions, run, setLeader } = open()
  setLeader(2)
  reactions.push(new PeerLost('cut'))
  for (let count = 0; count < 100; count++) reactions.push(error('no-leader'))
  assert.equal((await run('nothing')).outcome, 'no-leader')
})

test('the time that a leader worked on a call does not count as waiting for one', async () => {
  const { clock, reactions, run, setLeader } = open()
  setLeader(2)
  reactions.push({ afterMs: 6_000, answer: new PeerLost('cut') })
  clock.later(() => setLeader(undefined), 6_000)
  clock.later(() => setLeader(3), 7_000)
  const { outcome, tookMs } = await run('once')
  assert.equal(outcome, 'done by 3')
  assert.ok(tookMs >= 7_000 && tookMs < 7_100, `${tookMs} ms`)
})

test('a call that is lost again and again ends: each attempt gets the time that is left', async () => {
  const { asked, reactions, run, setLeader } = open()
  setLeader(2)
  for (let count = 0; count < 10; count++) reactions.push({ afterMs: 4_000, answer: new PeerLost('cut') })
  const { outcome, tookMs } = await run('once')
  assert.equal(outcome, 'outcome-unknown')
  assert.equal(asked.length, 3)
  assert.ok(tookMs <= 12_100, `${tookMs} ms`)
})

test("a call's own errors are told as they are", async () => {
  for (const own of ['offset-out-of-range', 'topic-deleted', 'overloaded'] as const) {
    const { asked, reactions, run, setLeader } = open()
    setLeader(2)
    reactions.push(error(own))
    assert.equal((await run('nothing')).outcome, own)
    assert.equal(asked.length, 1)
  }
})

test('a broker without a replica asks those who hold one, though they still say that it leads itself', async () => {
  const { run, asked, reactions } = open({ isHere: false })
  reactions.push(error('no-leader', { leader: 1 }), error('no-leader', { leader: 1 }), 'done')
  assert.equal((await run()).outcome, 'done by 2')
  assert.deepEqual(
    asked.map((each) => each.slice(0, 8)),
    ['broker 2', 'broker 3', 'broker 2'],
  )
})

test('what a broker only heard of a leader it does not tell others', async () => {
  const { run, router, reactions } = open({ isHere: false })
  reactions.push(error('no-leader', { leader: 3 }), 'done')
  assert.equal((await run()).outcome, 'done by 3')
  assert.equal(router.leaderOf(GROUP), 3)
  assert.equal(router.leaderToTell(GROUP), undefined)
  const holder = open()
  holder.setLeader(2)
  assert.equal(holder.router.leaderToTell(GROUP), 2)
})
