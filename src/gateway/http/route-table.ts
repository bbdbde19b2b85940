import type { RouteConfig } from '@hono/zod-openapi'

import { SynodError } from '../../errors.ts'
import { queryNames } from './operations/all.ts'

export interface Route {
  readonly operation: RouteConfig
  readonly operationId: string
  readonly queryNames: readonly string[]
}

export interface Match {
  readonly route: Route
  readonly params: readonly string[]
}

interface PathEntry {
  /** Undefined stands for a placeholder. */
  readonly segments: readonly (string | undefined)[]
  readonly routes: Map<string, Route>
}

/** Which operation a request is for, from the very declarations that make the document. */
export class RouteTable {
  readonly #byLength = new Map<number, PathEntry[]>()

  constructor(operations: readonly RouteConfig[]) {
    for (const operation of operations) this.#add(operation)
  }

  /** Errors: 'not-found', 'method-not-allowed' with `allow`, 'malformed-request'. */
  match(method: string, path: string): Match {
    const segments = path.split('/')
    const entry = this.#find(segments)
    if (entry === undefined)
      throw new SynodError('not-found', `There is nothing at '${path.slice(0, 300)}'.`, {
        hint: 'All addresses are at /docs and in /openapi.yaml; topics are under /v1/topics.',
      })
    const route = entry.routes.get(method === 'HEAD' ? 'GET' : method)
    if (route === undefined) {
      const allow = allowOf(entry)
      throw new SynodError(
        'method-not-allowed',
        `'${path.slice(0, 300)}' has no method ${method.slice(0, 20)}.`,
        {
          hint: `It has ${allow.join(', ')}.`,
          facts: { allow },
        },
      )
    }
    const params: string[] = []
    for (let index = 0; index < segments.length; index++)
      if (entry.segments[index] === undefined) params.push(decode(segments[index]!))
    return { route, params }
  }

  /** The methods of a path; none when there is nothing at it. */
  methods(path: string): readonly string[] {
    const entry = this.#find(path.split('/'))
    return entry === undefined ? [] : allowOf(entry)
  }

  #find(segments: readonly string[]): PathEntry | undefined {
    return this.#byLength.get(segments.length)?.find((entry) => isAt(entry, segments))
  }

  #add(operation: RouteConfig): void {
    const segments = operation.path
      .split('/')
      .map((segment) => (segment.startsWith('{') ? undefined : segment))
    const entries = this.#byLength.get(segments.length) ?? []
    this.#byLength.set(segments.length, entries)
    const shape = segments.map((segment) => segment ?? '{}').join('/')
    let entry = entries.find((known) => known.segments.map((segment) => segment ?? '{}').join('/') === shape)
    if (entry === undefined) entries.push((entry = { segments, routes: new Map() }))
    const route = { operation, operationId: operation.operationId ?? '', queryNames: queryNames(operation) }
    entry.routes.set(operation.method.toUpperCase(), route)
  }
}

function isAt(entry: PathEntry, segments: readonly string[]): boolean {
  for (let index = 0; index < segments.length; index++) {
    const segment = entry.segments[index]
    if (segment === undefined ? segments[index] === '' : segment !== segments[index]) return false
  }
  return true
}

function allowOf(entry: PathEntry): string[] {
  const methods = [...entry.routes.keys()]
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS']
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment
  try {
    return decodeURIComponent(segment)
  } catch {
    throw new SynodError('malformed-request', `'${segment.slice(0, 200)}' is not percent-encoded UTF-8.`, {
      hint: 'Write a plain percent sign as %25.',
    })
  }
}
