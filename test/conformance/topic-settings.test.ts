import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'

import { configProblem } from '../../src/controller/topic-config.ts'
import { DEFAULT_TOPIC_CONFIG } from '../../src/types/topic.ts'

interface Setting {
  readonly type?: string | readonly string[]
  readonly minimum?: number
  readonly maximum?: number
}

const document = parse(readFileSync('openapi/openapi.yaml', 'utf8')) as {
  readonly components: {
    readonly schemas: { readonly TopicConfig: { readonly properties: Record<string, Setting> } }
  }
}
const settings = Object.entries(document.components.schemas.TopicConfig.properties).filter(
  ([, { minimum }]) => minimum !== undefined,
)
const REPLICATION_FACTOR = 3
/** Fewer in sync than a majority is refused for what the topic's replicas are, not for the number. */
const OF_THE_REPLICAS = 'minInSync'

test('the bounds of the settings in the document are those that the controller takes', () => {
  assert.ok(settings.length >= 8)
  for (const [name, { minimum, maximum }] of settings) {
    if (name === OF_THE_REPLICAS) continue
    for (const value of [minimum, maximum])
      assert.equal(
        configProblem({ ...DEFAULT_TOPIC_CONFIG, [name]: value }, REPLICATION_FACTOR),
        undefined,
        name,
      )
    assert.notEqual(
      configProblem({ ...DEFAULT_TOPIC_CONFIG, [name]: minimum! - 1 }, REPLICATION_FACTOR),
      undefined,
      name,
    )
  }
})
