import assert from 'node:assert/strict'
import { test } from 'node:test'
import { QUIET_TOPICS_MAX, QuietLog } from '../../src/transport/log.ts'

function quietLog(): { readonly log: QuietLog; readonly said: string[] } {
  const said: string[] = []
  return { said, log: new QuietLog({ info: () => undefined, warn: (message) => said.push(message) }) }
}

test('the same topic is said once, and again after it ended', () => {
  const { log, said } = quietLog()
  log.warnOnce('peer 2', 'away')
  log.warnOnce('peer 2', 'away')
  assert.deepEqual(said, ['away'])
  log.ended('peer 2')
  log.warnOnce('peer 2', 'away again')
  assert.deepEqual(said, ['away', 'away again'])
})

test('at the bound of topics all are forgotten', () => {
  const { log, said } = quietLog()
  for (let topic = 0; topic <= QUIET_TOPICS_MAX; topic++) log.warnOnce(`topic ${topic}`, 'said')
  log.warnOnce('topic 0', 'said again')
  log.warnOnce(`topic ${QUIET_TOPICS_MAX}`, 'not said again')
  assert.equal(said.at(-1), 'said again')
})
