import assert from 'node:assert/strict'
import { WebSocket } from 'ws'
import { createSynodClient, type SynodRecord } from '../src/client.ts'
import type { Case, Shared } from './records.ts'
import { ask } from './talk.ts'

const TOPIC = 'resumed'
const COUNT = 500
const KILL_AFTER = 200

/** The leader is killed while one side writes and the other reads. */
export function breakCases({ urls }: Shared): readonly Case[] {
  return [['resume', () => resume(urls)]]
}

async function resume(urls: readonly string[]): Promise<void> {
  const client = createSynodClient(urls, { WebSocket })
  await client.createTopic(TOPIC, { partitions: 1 })
  const reading = read(client)
  for (let index = 0; index < COUNT; index++) {
    if (index === KILL_AFTER) await ask({ event: 'kill-leader', topic: TOPIC, partition: 0 })
    const [receipt] = await client.produce(TOPIC, [{ value: index }])
    // A duplicate is a try again of what was stored before its answer was lost; offsets show that it was stored once.
    assert.equal(receipt?.offset, index)
  }
  const seen = await reading
  assert.deepEqual(
    seen.map(({ offset, value }) => [offset, value]),
    Array.from({ length: COUNT }, (_, index) => [index, index]),
  )
  const end = (await client.get(`/v1/topics/${TOPIC}/partitions/0/offsets?linearizable=true`)) as { latest: number }
  assert.equal(end.latest, COUNT, 'nothing is stored twice')
}

async function read(client: ReturnType<typeof createSynodClient>): Promise<readonly SynodRecord[]> {
  const seen: SynodRecord[] = []
  for await (const record of client.subscribe(TOPIC, { from: 'earliest' })) {
    seen.push(record)
    if (seen.length === COUNT) break
  }
  return seen
}
