import { OpenAPIHono } from '@hono/zod-openapi'
import { stringify } from 'yaml'

import { BINARY_FRAMES, CLIENT_FRAMES, frameSchemaName, SERVER_FRAMES } from '../ws/session-frames.ts'
import { OPERATIONS } from './operations/all.ts'

/** Changes when the API does, not with every release of the broker. */
const API_VERSION = '1.0.0'

const INFO = {
  openapi: '3.1.0',
  info: {
    title: 'Synod',
    version: API_VERSION,
    description:
      'A replicated, durable message log. Produce with POST, read with GET or subscribe over WebSocket. Any broker takes ' +
      'any request. Failures are `application/problem+json`; `code` says what went wrong, `hint` what to try next, and ' +
      '/problems/{code} on any broker what it means. This document is at /docs for people to read.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    contact: { name: 'Synod' },
  },
  servers: [{ url: '/', description: 'The broker that serves this document' }],
  security: [],
  tags: [
    { name: 'topics', description: 'Topics and their partitions' },
    { name: 'records', description: 'Producing and reading' },
    { name: 'cluster', description: 'Brokers and who controls them' },
    { name: 'operations', description: 'Changes of where replicas are, which take their time' },
    { name: 'management', description: 'Probes, metrics and this document' },
  ],
}

/** The OpenAPI document, from the same declarations that the server validates with. */
export function openapiDocument(): object {
  const app = new OpenAPIHono()
  for (const operation of OPERATIONS) app.openAPIRegistry.registerPath(operation)
  // Frames stand in no operation, but generators of clients are to have their types.
  for (const [name, frame] of Object.entries({ ...CLIENT_FRAMES, ...SERVER_FRAMES, ...BINARY_FRAMES }))
    app.openAPIRegistry.register(frameSchemaName(name), frame)
  return app.getOpenAPI31Document(INFO)
}

export function openapiYaml(): string {
  return stringify(openapiDocument(), { lineWidth: 0, aliasDuplicateObjects: false })
}
