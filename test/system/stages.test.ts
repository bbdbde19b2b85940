import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDev } from '../support/dev-cluster.ts'
import { eventually } from '../support/eventually.ts'
import { busiestLeader, call, json, produce } from './api.ts'

const TOPIC = 'staged'
const RECORDS = 20

/** How often each stage was told, and all its seconds, by the name in `/metrics`. */
async function stagesAt(url: string): Promise<Record<string, { count: number; seconds: number }>> {
  const text = String((await call(url, '/metrics')).body['text'])
  const stages: Record<string, { count: number; seconds: number }> = {}
  for (const [, stage = '', what, value] of text.matchAll(
    /^synod_stage_(\w+)_seconds_(count|sum) (\S+)$/gm,
  )) {
    const times = (stages[stage] ??= { count: 0, seconds: 0 })
    if (what === 'count') times.count = Number(value)
    else times.seconds = Number(value)
  }
  return stages
}

test('/metrics says where the time of a record goes, at its leader and at the broker that passes it on', async (t) => {
  const cluster = await startDev(t)
  const [first] = cluster.brokers()
  await call(first!.url, `/v1/topics/${TOPIC}`, json('PUT', { partitions: 1 }))
  const leader = cluster.broker(await busiestLeader(first!.url, TOPIC))
  const other = cluster.brokers().find(({ id }) => id !== leader.id)!
  const before = await stagesAt(leader.url)
  for (let at = 0; at < RECORDS; at++) {
    const { url } = at % 2 === 0 ? leader : other
    assert.equal((await produce(url, TOPIC, `record ${at}`)).status, 201)
  }
  const page = await fetch(`${leader.url}/v1/topics/${TOPIC}/stream?from=earliest&follow=false`)
  assert.equal((await page.text()).trim().split('\n').length, RECORDS)

  const here = await stagesAt(leader.url)
  const since = (stage: string) => here[stage]!.count - before[stage]!.count
  assert.equal(since('append'), RECORDS / 2)
  // One after the other, so that each record goes its way alone.
  for (const stage of ['queue', 'replication', 'apply'])
    assert.ok(since(stage) >= RECORDS, `${stage}: ${since(stage)}`)
  // Two followers are a majority, so the leader's disk may take several at once.
  for (const stage of ['journal', 'fan_out']) assert.ok(since(stage) >= 1, `${stage}: ${since(stage)}`)
  const { append, queue, replication } = here
  assert.ok(queue!.seconds > 0 && replication!.seconds > 0 && append!.seconds > 0)
  assert.equal((await stagesAt(other.url))['append']!.count, RECORDS / 2)
  await eventually(async () => assert.ok((await stagesAt(other.url))['apply']!.count >= RECORDS))
})
