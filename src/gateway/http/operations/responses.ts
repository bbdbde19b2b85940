import { z } from '@hono/zod-openapi'

import type { ErrorCode } from '../../../errors.ts'
import { PROBLEMS } from '../../problem.ts'
import { problemSchema, topicNameSchema } from '../schemas.ts'

/** What any request may be answered, told with a status of its own in every operation … */
const ALWAYS_CODES = [
  'malformed-request',
  'unknown-parameter',
  'invalid-parameter',
  'origin-not-allowed',
] as const
/** … and what only a broker or a connection in trouble answers. */
const RARE_CODES = ['request-timeout', 'headers-too-large', 'overloaded', 'draining', 'internal'] as const
export const COMMON_CODES: readonly ErrorCode[] = [...ALWAYS_CODES, ...RARE_CODES]

const problemContent = { 'application/problem+json': { schema: problemSchema } }

interface ProblemResponse {
  readonly description: string
  readonly content: typeof problemContent
}

/**
 * The failures of an operation, by status. Typed as `default` alone: handlers never build a problem, they throw, so no
 * handler's type has to know them.
 */
export function problems(...codes: readonly ErrorCode[]): { readonly default: ProblemResponse } {
  const byStatus = new Map<number, string[]>()
  for (const code of [...ALWAYS_CODES, ...codes])
    byStatus.set(PROBLEMS[code].status, [...(byStatus.get(PROBLEMS[code].status) ?? []), code])
  const responses: Record<string, ProblemResponse> = {}
  for (const [status, named] of [...byStatus].sort(([left], [right]) => left - right))
    responses[status] = {
      description: named.map((code) => `\`${code}\``).join(', '),
      content: problemContent,
    }
  const common = RARE_CODES.map((code) => `\`${code}\``).join(', ')
  return { ...responses, default: { description: `Any other problem: ${common}`, content: problemContent } }
}

export const TOPIC_MISSING = ['topic-not-found', 'topic-deleted'] as const
export const PARTITION_MISSING = [...TOPIC_MISSING, 'partition-not-found'] as const

const partitionParameter = z
  .string()
  .regex(/^\d{1,5}$/)
  .openapi({
    type: 'integer',
    format: 'int32',
    minimum: 0,
    maximum: 99_999,
    description: 'The number of a partition.',
    example: 0,
  })

export const brokerParams = z.object({
  broker: z
    .string()
    .regex(/^\d{1,5}$/)
    .openapi({ description: 'The id of a broker.', example: '1' }),
})
export const topicParams = z.object({ topic: topicNameSchema })
export const partitionParams = z.object({ topic: topicNameSchema, partition: partitionParameter })
export const recordParams = partitionParams.extend({
  offset: z
    .string()
    .regex(/^\d{1,16}$/)
    .openapi({
      type: 'integer',
      format: 'int64',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'The number of a record.',
      example: 0,
    }),
})

/** A whole number in the query. The document calls it an integer; on the wire it is a text like every parameter. */
export function integerParameter(
  description: string,
  bounds: { readonly min: number; readonly max: number; readonly default: number },
) {
  return z
    .string()
    .regex(/^\d{1,16}$/)
    .transform(Number)
    .refine(
      (value) => value >= bounds.min && value <= bounds.max,
      `It is a whole number from ${bounds.min} to ${bounds.max}.`,
    )
    .optional()
    .openapi({
      type: 'integer',
      format: 'int64',
      minimum: bounds.min,
      maximum: bounds.max,
      default: bounds.default,
      description,
    })
}

export const answerHeaders = z.object({
  'Request-Id': z.string().openapi({ description: 'Names this request in the broker’s log.' }),
  'Synod-Broker': z.string().openapi({ description: 'The broker that answered.' }),
})

export const redirect = z.enum(['true', 'false']).optional().openapi({
  description:
    'true: answer 307 with the address of the broker that leads all that the request is about, if there is one.',
  default: 'false',
})
export const seeLeader = {
  description: 'Another broker leads all that the request is about.',
  headers: answerHeaders.extend({ Location: z.string().openapi({ description: 'The same request there.' }) }),
}

/** `example` is a whole body; test/conformance/examples.test.ts sends it. */
export function json<Schema extends z.ZodType>(schema: Schema, example?: unknown) {
  return { 'application/json': example === undefined ? { schema } : { schema, example } }
}
