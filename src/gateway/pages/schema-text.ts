import { html } from './html.ts'
import type { Html } from './html.ts'

/** The part of a JSON Schema that the API's document uses. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly default?: unknown
  readonly example?: unknown
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly maxItems?: number
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
}

/** Above this a bound says only what any client's numbers can hold. */
const SAFE_MAX = Number.MAX_SAFE_INTEGER
/** As many values of an enumeration are named in a table; the rest stands in the document. */
const ENUM_SHOWN_MAX = 12

/** What kind of value it is, with links to schemas that have a name. */
export function typeHtml(schema: Schema | undefined): Html {
  if (schema === undefined) return html`any`
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return html`<a href="#schema-${name}">${name}</a>`
  }
  const several = schema.anyOf ?? schema.oneOf ?? schema.allOf
  if (several !== undefined)
    return joined(several.map(typeHtml), schema.allOf === undefined ? ' or ' : ' and ')
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`
  if (schema.enum !== undefined) return enumHtml(schema.enum)
  if (schema.items !== undefined) return html`list of ${typeHtml(schema.items)}`
  const { additionalProperties } = schema
  if (typeof additionalProperties === 'object' && schema.properties === undefined)
    return html`map of ${typeHtml(additionalProperties)}`
  const type = schema.type ?? 'any'
  return html`${typeof type === 'string' ? type : type.join(' or ')}${schema.format === undefined ? '' : ` (${schema.format})`}`
}

/** What else is said of a value: its default, its bounds. */
export function boundsText({
  default: standard,
  minimum,
  maximum,
  maxLength,
  maxItems,
  pattern,
}: Schema): string {
  return [
    standard === undefined ? undefined : `Default: ${JSON.stringify(standard)}.`,
    minimum === undefined ? undefined : `At least ${minimum}.`,
    maximum === undefined || maximum >= SAFE_MAX ? undefined : `At most ${maximum}.`,
    maxLength === undefined ? undefined : `At most ${maxLength} characters.`,
    maxItems === undefined ? undefined : `At most ${maxItems}.`,
    pattern === undefined ? undefined : `Pattern: \`${pattern}\`.`,
  ]
    .filter((text) => text !== undefined)
    .join(' ')
}

function enumHtml(values: readonly unknown[]): Html {
  const shown = values.slice(0, ENUM_SHOWN_MAX).map((value) => html`<code>${JSON.stringify(value)}</code>`)
  const rest = values.length - shown.length
  return html`${joined(shown, ', ')}${rest > 0 ? `, and ${rest} more` : ''}`
}

function joined(pieces: readonly Html[], between: string): Html {
  return html`${pieces.map((piece, index) => (index === 0 ? piece : html`${between}${piece}`))}`
}
