import { html, page, prose } from './html.ts'
import type { Html } from './html.ts'
import { boundsText, typeHtml } from './schema-text.ts'
import type { Schema } from './schema-text.ts'

/** The part of an OpenAPI document that the reference shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly tags?: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly operationId?: string
  readonly tags?: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required?: boolean; readonly content?: Content }
  readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
}

type Content = Readonly<Record<string, { readonly schema?: Schema }>>

interface PlacedOperation extends Operation {
  readonly method: string
  readonly path: string
}

const HOST = 'http://localhost:8080'

/** The whole API on one page, made of the document alone. */
export function referencePage(document: ApiDocument): string {
  const { info, tags = [], paths, components } = document
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): PlacedOperation => ({ ...operation, method, path })),
  )
  const sections = tags.map(({ name, description = '' }) => {
    const own = operations.filter((operation) => operation.tags?.[0] === name)
    return html`<h2 id="${name}">${name}</h2>
      <p>${prose(description)}.</p>
      ${own.map(operationHtml)}`
  })
  const schemas = Object.entries(components?.schemas ?? {}).map(([name, schema]) => schemaHtml(name, schema))
  const contents = [...tags.map(({ name }) => name), 'schemas'].map(
    (name) => html`<a href="#${name}">${name}</a>`,
  )
  return page(
    `${info.title} API`,
    html`<h1>${info.title} API ${info.version}</h1>
      <p>${prose(info.description ?? '')}</p>
      <nav>${contents}</nav>
      ${sections}
      <h2 id="schemas">schemas</h2>
      ${schemas}`,
  )
}

function operationHtml(operation: PlacedOperation): Html {
  const { operationId = '', method, path, summary = '', description = '' } = operation
  const { parameters = [], requestBody, responses = {} } = operation
  const body =
    requestBody === undefined
      ? html``
      : html`<h4>Body</h4>
          <p>${contentHtml(requestBody.content)}${requestBody.required === true ? '' : ' (optional)'}</p>`
  return html`<details id="${operationId}">
    <summary>
      <span class="method">${method.toUpperCase()}</span> <code>${path}</code> ${prose(summary)}
    </summary>
    <p>${prose(description)}</p>
    <pre><code>${curlText(operation)}</code></pre>
    ${parametersHtml(parameters)}${body}
    <h4>Answers</h4>
    <table>
      <tr>
        <th>Status</th>
        <th>Body</th>
        <th></th>
      </tr>
      ${Object.entries(responses).map(responseHtml)}
    </table>
  </details>`
}

function parametersHtml(parameters: readonly Parameter[]): Html {
  if (parameters.length === 0) return html``
  const rows = parameters.map(
    ({ name, in: place, required, description, schema = {} }) =>
      html`<tr>
        <td><code>${name}</code></td>
        <td>${place}${required === true ? ', required' : ''}</td>
        <td>${typeHtml(schema)}</td>
        <td>${prose(`${description ?? schema.description ?? ''} ${boundsText(schema)}`)}</td>
      </tr>`,
  )
  return html`<h4>Parameters</h4>
    <table>
      <tr>
        <th>Name</th>
        <th>In</th>
        <th>Type</th>
        <th></th>
      </tr>
      ${rows}
    </table>`
}

type Response = readonly [
  status: string,
  response: { readonly description?: string; readonly content?: Content },
]

function responseHtml([status, { description = '', content }]: Response): Html {
  const isProblem = Object.hasOwn(content ?? {}, 'application/problem+json')
  return html`<tr>
    <td>${status}</td>
    <td>${contentHtml(content)}</td>
    <td>${isProblem ? codesHtml(description) : prose(description)}</td>
  </tr>`
}

/** Each code in backticks leads to its page. */
function codesHtml(description: string): Html {
  const pieces = description
    .split('`')
    .map((piece, index) =>
      index % 2 === 1 ? html`<a href="/problems/${piece}"><code>${piece}</code></a>` : html`${piece}`,
    )
  return html`${pieces}`
}

function contentHtml(content: Content | undefined): Html {
  const forms = Object.entries(content ?? {})
  return html`${forms.map(([type, { schema }]) => html`<code>${type}</code> ${typeHtml(schema)}`)}`
}

function schemaHtml(name: string, { description, properties, required = [], ...schema }: Schema): Html {
  const rows = Object.entries(properties ?? {}).map(
    ([property, each]) =>
      html`<tr>
        <td><code>${property}</code>${required.includes(property) ? ', always' : ''}</td>
        <td>${typeHtml(each)}</td>
        <td>${prose(`${each.description ?? ''} ${boundsText(each)}`)}</td>
      </tr>`,
  )
  const table =
    rows.length === 0
      ? html`<p>${typeHtml(schema)}</p>`
      : html`<table>
          ${rows}
        </table>`
  return html`<h3 id="schema-${name}">${name}</h3>
    <p>${prose(description ?? '')}</p>
    ${table}`
}

/** A line that can be tried: what the path needs is filled with examples. */
function curlText({ method, path, parameters = [], requestBody }: PlacedOperation): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const example = parameters.find((parameter) => parameter.name === name)?.schema?.example
    return typeof example === 'string' || typeof example === 'number' ? String(example) : `{${name}}`
  })
  const type = Object.keys(requestBody?.content ?? {})[0]
  const parts = ['curl']
  if (method !== 'get') parts.push(`-X ${method.toUpperCase()}`)
  if (type?.includes('json') === true) parts.push(`-H 'Content-Type: ${type}'`)
  if (type !== undefined) parts.push(`--data-binary @body`)
  return [...parts, `'${HOST}${filled}'`].join(' ')
}
