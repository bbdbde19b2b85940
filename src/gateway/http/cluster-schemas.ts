import { z } from '@hono/zod-openapi'

import { brokerText, count, partitionNumber, topicNameSchema } from './schemas.ts'

const replicaSchema = z
  .object({
    broker: brokerText('The broker that holds it.'),
    acceptedSlot: count('The last slot that it accepted.'),
    lagMs: count('How far it is behind.'),
    lagSlots: count('The same in entries.'),
    inSync: z.boolean(),
    state: z.enum(['leader', 'synced', 'preparing', 'syncing', 'learner', 'unreachable']),
  })
  .openapi('Replica')

export const paxosSchema = z
  .object({
    topic: topicNameSchema,
    partition: partitionNumber,
    answeredBy: brokerText('The broker whose view this is.'),
    ballot: z.string().openapi({ description: 'The ballot in force.' }),
    leader: brokerText('Left out while there is none.').optional(),
    role: z.enum(['leader', 'candidate', 'follower', 'retired']),
    promised: z.string().openapi({ description: 'The highest ballot promised.' }),
    accepted: z.string().openapi({ description: 'The ballot of the last accepted entry.' }),
    acceptedSlot: count('The last slot accepted.'),
    chosen: count('The highest slot known to be chosen.'),
    highWatermark: count('The first offset that is not yet readable.'),
    replicas: z.array(replicaSchema),
  })
  .openapi('Paxos')

export const brokerSchema = z
  .object({
    id: brokerText('The broker’s id.'),
    url: z.string().openapi({ description: 'Where clients reach it.' }),
    state: z.enum(['alive', 'draining', 'dead', 'outsider']).openapi({
      description:
        'An outsider is there and takes part in no vote: its disk forgot something, or is another one.',
    }),
    reason: z.string().optional().openapi({ description: 'Why it is an outsider.' }),
    pendingStore: z
      .string()
      .optional()
      .openapi({ description: 'The store that waits to take over the votes of the lost one.' }),
    membership: z
      .enum(['active', 'draining'])
      .openapi({ description: 'A broker that is drained gets no new replicas.' }),
    version: z.string(),
    failureDomain: z.string().openapi({ description: 'Replicas of one partition avoid the same one.' }),
    leaderCount: count('Partitions that it leads.'),
    replicaCount: count('Partitions that it holds.'),
    diskFreeBytes: count('Only known of the broker that answers.').optional(),
    lag: z
      .object({ slots: count('In entries of a log.'), ms: count('In time.') })
      .optional()
      .openapi({
        description:
          'How far its replica that is furthest behind is behind, of the partitions that the broker that answers leads. Left out when it leads none that this one holds.',
      }),
  })
  .openapi('Broker')

export const brokerListSchema = z.object({ items: z.array(brokerSchema) }).openapi('BrokerList')

export const clusterSchema = z
  .object({
    id: z.string().openapi({ description: 'The cluster’s id.' }),
    controller: brokerText('Who leads the metadata; left out while nobody does.').optional(),
    broker: brokerText('Who answers.'),
    version: z.string().openapi({ description: 'The version of who answers.' }),
    brokerCount: count('Brokers of the cluster.'),
    aliveCount: count('Those that are alive.'),
    outsiders: z.array(brokerText('A broker.')).openapi({
      description: 'Brokers that are there and take part in no vote; the list of brokers says why.',
    }),
  })
  .openapi('Cluster')

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'unavailable']),
    reason: z.string().optional().openapi({ description: 'Why not.' }),
  })
  .openapi('Health')
