import createFetchClient, { type Client, type ClientOptions } from 'openapi-fetch'
import type { paths } from './generated/schema.ts'

export type { components, operations, paths } from './generated/schema.ts'

/** Every call of the API, typed by its document: `api.GET('/v1/topics/{topic}', {params: {path: {topic: 'orders'}}})`. */
export function createApi(baseUrl: string, options: Omit<ClientOptions, 'baseUrl'> = {}): Client<paths> {
  return createFetchClient<paths>({ ...options, baseUrl })
}
