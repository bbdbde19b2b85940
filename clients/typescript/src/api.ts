import createFetchClient, { type Client, type ClientOptions } from 'openapi-fetch'
import type { components, paths } from './generated/schema.ts'
import type { Problem } from './problem.ts'
import type { Receipt, RecordInput, SynodRecord } from './records.ts'

export type { components, operations, paths } from './generated/schema.ts'

/** Every call of the API, typed by its document: `api.GET('/v1/topics/{topic}', {params: {path: {topic: 'orders'}}})`. */
export function createApi(baseUrl: string, options: Omit<ClientOptions, 'baseUrl'> = {}): Client<paths> {
  return createFetchClient<paths>({ ...options, baseUrl })
}

type Schemas = components['schemas']
type Fits<Given extends Wanted, Wanted> = Given

/** Written by hand so that they need nothing generated; where they say anything else than the document, this does not compile. */
export type HandWritten = [
  Fits<Schemas['Record'], SynodRecord>,
  Fits<Schemas['Receipt'], Receipt>,
  Fits<RecordInput, Schemas['RecordInput']>,
  Fits<Schemas['Problem'], Problem>,
]
