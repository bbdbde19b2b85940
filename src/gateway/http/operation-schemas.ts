import { z } from '@hono/zod-openapi'

import { bounded, brokerText, count, partitionNumber, topicNameSchema } from './schemas.ts'

const time = (description: string) =>
  z.string().openapi({ description, format: 'date-time', example: '2026-01-31T12:00:00.000Z' })

export const operationSchema = z
  .object({
    id: z.string().openapi({ description: 'The operation’s id.', example: 'op7' }),
    kind: z
      .enum([
        'move-replicas',
        'drain-broker',
        'remove-broker',
        'repair-broker',
        'replace-store',
        'unsafe-recover',
      ])
      .openapi({ description: 'What is done.' }),
    state: z.enum(['running', 'done', 'failed', 'cancelled']),
    topic: topicNameSchema.optional(),
    partition: partitionNumber.optional(),
    replicas: z
      .array(brokerText('A broker.'))
      .optional()
      .openapi({ description: 'The replicas that the partition is to have, the preferred leader first.' }),
    broker: brokerText(
      'The broker whose replicas go to others, whose store is replaced, or that goes on alone.',
    ).optional(),
    store: z.string().optional().openapi({
      description: 'The store that is given the votes of the one that was lost, or that goes on alone.',
    }),
    stepsDone: count('How far it is.'),
    stepsTotal: count('Of how many steps: replicas of a broker, or phases of a move.'),
    startedAt: time('When it was asked for.'),
    endedAt: time('Left out while it runs.').optional(),
    problem: z.string().optional().openapi({
      description: 'Why it failed or was cancelled; of unsafe-recover who did it, and what may be lost.',
    }),
  })
  .openapi('Operation')

export const operationListSchema = z
  .object({ items: z.array(operationSchema).openapi({ description: 'The newest first.' }) })
  .openapi('OperationList')

export const replicasSchema = z
  .strictObject({
    brokers: bounded(
      z
        .array(
          z
            .string()
            .regex(/^\d{1,5}$/)
            .openapi({ description: 'The id of a broker.', example: '1' }),
        )
        .min(1)
        .max(7),
    ).openapi({ description: 'The brokers that are to hold the partition, the preferred leader first.' }),
  })
  .openapi('Replicas')
