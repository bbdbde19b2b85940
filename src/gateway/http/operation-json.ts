import type { z } from '@hono/zod-openapi'

import type { Operation } from '../../types/operation.ts'
import type { operationSchema } from './operation-schemas.ts'

/** An operation as the document has it: what does not apply is left out. */
export function operationJson(operation: Operation): z.infer<typeof operationSchema> {
  const { id, subject, state, stepsDone, stepsTotal, startedAtMs, endedAtMs, problem } = operation
  return {
    id,
    kind: subject.kind,
    state,
    ...subjectJson(subject),
    stepsDone,
    stepsTotal,
    startedAt: new Date(startedAtMs).toISOString(),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
    ...(problem === undefined ? {} : { problem }),
  }
}

function subjectJson(subject: Operation['subject']): Partial<z.infer<typeof operationSchema>> {
  if (subject.kind === 'replace-store' || subject.kind === 'unsafe-recover')
    return { broker: String(subject.broker), store: subject.store }
  if (subject.kind !== 'move-replicas') return { broker: String(subject.broker) }
  const { topic, partition, target } = subject
  return { topic, partition, replicas: target.map(String) }
}
