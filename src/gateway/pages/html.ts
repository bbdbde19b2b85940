import { createHash } from 'node:crypto'

/** HTML that is safe to stand in a page as it is. */
export interface Html {
  readonly html: string
}

/** Texts in the template are code of this program; what is put in is escaped, unless it is HTML already. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const [first = '', ...others] = parts
  return { html: others.reduce((text, part, index) => text + htmlOf(values[index] ?? '') + part, first) }
}

function htmlOf(value: string | number | Html | readonly Html[]): string {
  if (typeof value === 'string') return escaped(value)
  if (typeof value === 'number') return String(value)
  return 'html' in value ? value.html : value.map((each) => each.html).join('')
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** A sentence with `code` in it. */
export function prose(text: string): Html {
  const pieces = text
    .split('`')
    .map((piece, index) => (index % 2 === 1 ? html`<code>${piece}</code>` : html`${piece}`))
  return html`${pieces}`
}

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere;margin:0 auto;max-width:60rem;padding:1rem}
h1,h2,h3{line-height:1.2}h2{border-top:1px solid var(--line);margin-top:2.5rem;padding-top:1rem}
code,pre{font:14px/1.45 ui-monospace,monospace}code{background:var(--soft);border-radius:3px;padding:.1em .3em}
pre{background:var(--soft);border-radius:6px;overflow-x:auto;padding:.8rem}pre code{background:none;padding:0}
table{border-collapse:collapse;display:block;overflow-x:auto;width:100%}
td,th{border-bottom:1px solid var(--line);padding:.3rem .8rem .3rem 0;text-align:left;vertical-align:top}
details{border:1px solid var(--line);border-radius:6px;margin:.6rem 0;padding:.4rem .8rem}
summary{cursor:pointer}.method{display:inline-block;font-weight:700;min-width:4.5rem}nav{display:flex;flex-wrap:wrap;gap:0 1rem}
`

/** Nothing runs and nothing is fetched: the one style is named by what it holds. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** Put in as a whole: its hash counts every space. */
const STYLE_ELEMENT: Html = { html: `<style>${STYLE}</style>` }

export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${title}</title>
        ${STYLE_ELEMENT}
      </head>
      <body>
        <nav>
          <a href="/docs">API reference</a><a href="/problems">Problems</a
          ><a href="/openapi.yaml">openapi.yaml</a>
        </nav>
        <main>${body}</main>
      </body>
    </html>`.html
}
