import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { createLogger } from '../../src/observability/logger.ts'
import type { LogLevel, Logger } from '../../src/observability/logger.ts'

function collect(level: LogLevel): { log: Logger; lines: () => Record<string, unknown>[] } {
  const texts: string[] = []
  const log = createLogger({ level, facts: { broker: 1 }, write: (line) => void texts.push(line) })
  return { log, lines: () => texts.map((text) => JSON.parse(text) as Record<string, unknown>) }
}

describe('createLogger', () => {
  test('writes one JSON object a line with time, level, message and facts', () => {
    const { log, lines } = collect('info')
    log.info({ group: 3, durationMs: 12 }, 'The group was recovered.')
    const [line] = lines()
    assert.equal(line?.['level'], 'info')
    assert.equal(line?.['message'], 'The group was recovered.')
    assert.equal(line?.['group'], 3)
    assert.equal(line?.['broker'], 1)
    assert.match(String(line?.['time']), /^\d{4}-\d\d-\d\dT/)
  })

  test('leaves out what is less important than its level', () => {
    const { log, lines } = collect('warn')
    log.debug({}, 'a')
    log.info({}, 'b')
    log.warn({}, 'c')
    log.error({}, 'd')
    assert.deepEqual(
      lines().map((line) => line['message']),
      ['c', 'd'],
    )
  })

  test('adds the facts of a child to each of its lines', () => {
    const { log, lines } = collect('info')
    log.child({ lane: 'data' }).info({ peer: 2 }, 'The lane is open.')
    assert.equal(lines()[0]?.['lane'], 'data')
    assert.equal(lines()[0]?.['peer'], 2)
  })

  test('never writes secrets, neither at the top nor in nested facts', () => {
    const { log, lines } = collect('debug')
    log.info(
      {
        clusterSecret: 'hush-1',
        headers: { authorization: 'hush-2' },
        config: { seeds: { secret: 'hush-3' } },
      },
      'x',
    )
    log.child({ token: 'hush-4' }).info({}, 'y')
    assert.equal(lines().length, 2)
    assert.ok(!JSON.stringify(lines()).includes('hush'))
  })

  test('writes an error with its message and stack', () => {
    const { log, lines } = collect('info')
    log.error({ error: new Error('the disk is gone') }, 'The store failed.')
    const error = lines()[0]?.['error'] as Record<string, unknown> | undefined
    assert.equal(error?.['message'], 'the disk is gone')
    assert.match(String(error?.['stack']), /logger\.test/)
  })
})
