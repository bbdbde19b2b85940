import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryWatch } from './memory.ts'

const MINUTE_MS = 60_000

test('the slope is that within the lives of processes, after their first minute', () => {
  const watch = new MemoryWatch()
  for (const [pid, startMs, baseMib] of [
    [1, 0, 100],
    [2, 20 * MINUTE_MS, 60],
  ] as const)
    for (let minute = 0; minute < 10; minute++)
      watch.add({ pid, atMs: startMs + minute * MINUTE_MS, mib: minute === 0 ? 10 : baseMib + minute })
  const { firstMib, lastMib, mostMib, slopeMibPerHour } = watch.use
  assert.deepEqual([firstMib, lastMib, mostMib], [10, 69, 109])
  assert.ok(slopeMibPerHour !== undefined && Math.abs(slopeMibPerHour - 60) < 1e-6, `${slopeMibPerHour}`)
})

test('processes that live for less than a minute tell no slope', () => {
  const watch = new MemoryWatch()
  for (let pid = 1; pid < 5; pid++) watch.add({ pid, atMs: pid * 50_000, mib: 100 * pid })
  assert.equal(watch.use.slopeMibPerHour, undefined)
})
