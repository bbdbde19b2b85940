import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DiskWatch } from '../../src/broker/disk-watch.ts'
import { turns, VirtualClock } from '../support/virtual-clock.ts'

function open() {
  const clock = new VirtualClock()
  const disk = { freeBytes: 100, full: false, error: undefined as Error | undefined }
  const warnings: string[] = []
  const looks: boolean[] = []
  const watch = new DiskWatch({
    store: {
      space: async () => {
        if (disk.error !== undefined) throw disk.error
        return { freeBytes: disk.freeBytes, full: disk.full }
      },
    },
    clock,
    onLook: (isFull) => void looks.push(isFull),
    warn: (sentence) => void warnings.push(sentence),
  })
  const pass = async (ms: number) => {
    clock.advance(ms)
    await turns(1)
  }
  return { clock, disk, watch, warnings, looks, pass }
}

test('a full disk is noticed, and space that was made again too', async () => {
  const { disk, watch, looks, pass } = open()
  assert.equal(watch.freeBytes, undefined)
  await watch.start()
  assert.deepEqual([watch.freeBytes, watch.isFull], [100, false])
  Object.assign(disk, { freeBytes: 1, full: true })
  await pass(2_000)
  assert.deepEqual([watch.freeBytes, watch.isFull], [1, true])
  disk.full = false
  await pass(2_000)
  assert.equal(watch.isFull, false)
  assert.deepEqual(looks, [false, true, false])
  watch.stop()
})

test('a disk that does not tell its space is taken as it was, and that is said once', async () => {
  const { disk, watch, warnings, pass } = open()
  disk.full = true
  await watch.start()
  disk.error = new Error('no such device')
  for (let look = 0; look < 3; look++) await pass(2_000)
  assert.equal(watch.isFull, true)
  assert.equal(warnings.length, 1)
  assert.match(warnings[0]!, /no such device/)
  disk.error = undefined
  disk.full = false
  await pass(2_000)
  assert.equal(watch.isFull, false)
  watch.stop()
})

test('a watch that is stopped looks no more, even if it was looking', async () => {
  const { clock, watch } = open()
  const starting = watch.start()
  watch.stop()
  await starting
  assert.equal(clock.timerCount, 0)
})
