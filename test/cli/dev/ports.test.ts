import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, test } from 'node:test'
import { freePorts, isPortFree } from '../../../src/cli/dev/ports.ts'

describe('freePorts', () => {
  test('gives different ports that can be used, below those of outgoing connections', async () => {
    const ports = await freePorts(7, '127.0.0.1', new Set())
    assert.equal(new Set(ports).size, 7)
    for (const port of ports) {
      assert.ok(port < 32_768)
      assert.equal(await isPortFree(port, '127.0.0.1'), true)
    }
  })

  test('leaves out what is excepted, and gives up when nothing is left', async () => {
    const all = new Set(Array.from({ length: 65_536 }, (_, port) => port))
    await assert.rejects(freePorts(1, '127.0.0.1', all), /No free port/)
  })
})

test('isPortFree sees a listener', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  assert.equal(await isPortFree((server.address() as AddressInfo).port, '127.0.0.1'), false)
})
