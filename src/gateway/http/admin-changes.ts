import type { OpenAPIHono } from '@hono/zod-openapi'

import { SynodError, type ErrorCode } from '../../errors.ts'
import { brokerId, type BrokerId } from '../../types/ids.ts'
import type { Operation } from '../../types/operation.ts'
import type { AdminEnv } from './admin.ts'
import { operationJson } from './operation-json.ts'
import * as changes from './operations/changes.ts'
import { findPartition, findTopic } from './topic-lookup.ts'

const LIST_LIMIT = 100
const BROKER_ID_MAX = 65_535

/** Long changes: each is answered at once with an operation to look at. */
export function addChanges(app: OpenAPIHono<AdminEnv>): void {
  app.openapi(changes.listOperations, (c) => {
    const { limit = LIST_LIMIT } = c.req.valid('query')
    const found = c.env.context.ports.operations.list()
    return c.json({ items: found.slice(0, limit).map(operationJson) }, 200)
  })
  app.openapi(changes.getOperation, async (c) => {
    const { operation: id } = c.req.valid('param')
    const operation = await c.env.context.ports.operations.find(id)
    if (operation !== undefined) return c.json(operationJson(operation), 200)
    throw new SynodError('not-found', `There is no operation '${id}'.`, {
      hint: 'List them with GET /v1/operations.',
    })
  })
  app.openapi(changes.cancelOperation, async (c) => {
    const operation = await c.env.context.ports.operations.cancel(c.req.valid('param').operation)
    return c.json(operationJson(operation), 200)
  })
  app.openapi(changes.moveReplicas, async (c) => {
    const { operations } = c.env.context.ports
    const topic = await findTopic(c.env.context, c.req.valid('param').topic)
    const partition = findPartition(topic, c.req.valid('param').partition)
    const target = c.req.valid('json').brokers.map((id) => namedBroker(id, 'not-enough-brokers'))
    const operation = await operations.moveReplicas(topic, partition, target)
    c.header('Location', pathOf(operation))
    return c.json(operationJson(operation), 202)
  })
  app.openapi(changes.drainBroker, async (c) => {
    const broker = namedBroker(c.req.valid('param').broker)
    const operation = await c.env.context.ports.operations.drain(broker)
    c.header('Location', pathOf(operation))
    return c.json(operationJson(operation), 202)
  })
  app.openapi(changes.undrainBroker, async (c) => {
    await c.env.context.ports.operations.activate(namedBroker(c.req.valid('param').broker))
    return c.body(null, 204)
  })
  app.openapi(changes.removeBroker, async (c) => {
    const broker = namedBroker(c.req.valid('param').broker)
    const isForced = c.req.valid('query').force === 'true'
    const operation = await c.env.context.ports.operations.remove(broker, isForced)
    c.header('Location', pathOf(operation))
    return c.json(operationJson(operation), 202)
  })
}

function pathOf({ id }: Operation): string {
  return `/v1/operations/${id}`
}

/** Error: `code` for a number that no broker can have. */
function namedBroker(text: string, code: ErrorCode = 'not-found'): BrokerId {
  const id = Number(text)
  if (id >= 1 && id <= BROKER_ID_MAX) return brokerId(id)
  throw new SynodError(code, `There is no broker '${text}'.`, { hint: 'List them with GET /v1/brokers.' })
}
