import type { RouteConfig } from '@hono/zod-openapi'

import * as changes from './changes.ts'
import * as cluster from './cluster.ts'
import * as produce from './produce.ts'
import * as read from './read.ts'
import * as topics from './topics.ts'

/** Every operation of the API, in the order of the document. */
export const OPERATIONS: readonly RouteConfig[] = [
  topics.listTopics,
  topics.createTopic,
  topics.getTopic,
  topics.alterTopic,
  topics.deleteTopic,
  produce.produceRecord,
  produce.produceBatch,
  produce.ingestRecords,
  read.readPage,
  read.readTopic,
  read.readRecord,
  read.streamTopic,
  read.followEvents,
  read.subscribeTopic,
  read.openSession,
  topics.getOffsets,
  topics.getPaxos,
  topics.moveLeader,
  changes.moveReplicas,
  topics.trimPartition,
  cluster.getCluster,
  cluster.listBrokers,
  cluster.getBroker,
  changes.removeBroker,
  changes.drainBroker,
  changes.undrainBroker,
  changes.listOperations,
  changes.getOperation,
  changes.cancelOperation,
  cluster.getLive,
  cluster.getReady,
  cluster.getStarted,
  cluster.getMetrics,
  cluster.getOpenapiJson,
  cluster.getOpenapiYaml,
  cluster.getAsyncapiJson,
]

/** The names of an operation's query parameters. */
export function queryNames(operation: RouteConfig): readonly string[] {
  const query: unknown = operation.request?.query
  return query !== undefined && typeof query === 'object' && query !== null && 'shape' in query
    ? Object.keys(query.shape as object)
    : []
}
