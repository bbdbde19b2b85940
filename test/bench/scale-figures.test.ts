import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { departureFigures, takeoverFigures } from '../../bench/scale-failures.ts'
import { heartbeatFigures, placementFigures } from '../../bench/scale-figures.ts'

const document = readFileSync('docs/scale.md', 'utf8')

test('the document has the heartbeat figures that the codec gives', () => {
  for (const brokers of [3, 30, 300]) {
    const { payloadBytes, clusterMessagesPerSecond, brokerBytesPerSecond } = heartbeatFigures(brokers)
    const row = `| ${brokers} | ${payloadBytes} | ${clusterMessagesPerSecond} | ${brokerBytesPerSecond} |`
    assert.ok(document.replaceAll(/ +/g, ' ').includes(row), `docs/scale.md lacks: ${row}`)
  }
})

test('the document has the figures of small placements', () => {
  for (const [brokers, partitions] of [
    [3, 200],
    [30, 2_000],
  ] as const) {
    const figures = placementFigures(brokers, brokers, partitions)
    const { replicasMin, replicasMax, leadersMin, leadersMax, heirsMin, inheritedMax } = figures
    const spread = `${replicasMin}–${replicasMax} | ${leadersMin}–${leadersMax} | ${heirsMin} | ${inheritedMax}`
    const row = `| ${brokers} | ${brokers} | ${partitions} | ${spread} |`
    assert.ok(document.replaceAll(/ +/g, ' ').includes(row), `docs/scale.md lacks: ${row}`)
  }
})

test('the document has what the consensus core exchanges when a leader dies', () => {
  for (const lacked of [0, 10]) {
    const { messageCount, bytes, persistCount } = takeoverFigures(lacked)
    const row = `| ${lacked} | ${messageCount} | ${bytes} | ${persistCount} |`
    assert.ok(document.includes(row), `docs/scale.md lacks: ${row}`)
  }
})

test('the document has what becomes of the replicas of a broker that leaves', () => {
  const { moveCount, takerCount, takenMax, replicasMin, replicasMax, commandCount } = departureFigures(
    30,
    30,
    2_000,
  )
  const row = `| 30 | 30 | 2000 | ${moveCount} | ${takerCount} | ${takenMax} | ${replicasMin}–${replicasMax} | ${commandCount} |`
  assert.ok(document.includes(row), `docs/scale.md lacks: ${row}`)
})
