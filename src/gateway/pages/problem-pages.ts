import { ERROR_CODES, SynodError } from '../../errors.ts'
import type { ErrorCode } from '../../errors.ts'
import { PROBLEMS, toProblem } from '../problem.ts'
import type { ProblemKind } from '../problem.ts'
import { html, page, prose } from './html.ts'
import type { Html } from './html.ts'
import { PROBLEM_TEXTS } from './problem-texts.ts'

/** A page in each form that it has. */
export interface Forms {
  readonly html: string
  readonly markdown: string
  readonly json: string
}

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(PROBLEMS, text)
}

/** The page of one code: what happened, what to do, whether it is safe to retry, an example. */
export function problemPage(code: ErrorCode): Forms {
  const kind: ProblemKind = PROBLEMS[code]
  const { happened, todo, example } = PROBLEM_TEXTS[code]
  const { request, instance, detail, facts } = example
  const problem = toProblem(
    new SynodError(code, detail, facts === undefined ? {} : { facts }),
    'kZ3x-1',
    instance,
  )
  const answer = JSON.stringify(problem, null, 2)
  const retry = retrySentence(code, kind)
  const { title, status, retryable, sideEffects } = kind
  return {
    html: page(
      `${code} · Synod`,
      html`<h1><code>${code}</code></h1>
        <p>${title}. Status ${status}.</p>
        <h2>What happened</h2>
        <p>${prose(happened)}</p>
        <h2>What to do</h2>
        <p>${prose(todo)}</p>
        <h2>Is it safe to retry?</h2>
        <p>${prose(retry)}</p>
        <h2>Example</h2>
        <pre><code>${request}</code></pre>
        <pre><code>${answer}</code></pre>`,
    ),
    markdown: [
      `# ${code}`,
      `${title}. Status ${status}.`,
      `## What happened\n\n${happened}`,
      `## What to do\n\n${todo}`,
      `## Is it safe to retry?\n\n${retry}`,
      `## Example\n\n\`\`\`\n${request}\n\`\`\`\n\n\`\`\`json\n${answer}\n\`\`\`\n`,
    ].join('\n\n'),
    json: JSON.stringify({
      code,
      title,
      status,
      retryable,
      sideEffects,
      happened,
      todo,
      retry,
      example: { request, problem },
    }),
  }
}

/** All codes with their titles. */
export function problemIndex(): Forms {
  const rows = ERROR_CODES.map((code) => ({ code, ...kindOf(code) })).toSorted(
    (left, right) => left.status - right.status || left.code.localeCompare(right.code),
  )
  const row = ({ code, status, title }: (typeof rows)[number]): Html =>
    html`<tr>
      <td>${status}</td>
      <td>
        <a href="/problems/${code}"><code>${code}</code></a>
      </td>
      <td>${title}</td>
    </tr>`
  return {
    html: page(
      'Problems · Synod',
      html`<h1>Problems</h1>
        <p>
          Each failure is <code>application/problem+json</code> (RFC 9457) with one of these as its
          <code>code</code>.
        </p>
        <table>
          <tr>
            <th>Status</th>
            <th>Code</th>
            <th>Meaning</th>
          </tr>
          ${rows.map(row)}
        </table>`,
    ),
    markdown: `# Problems\n\n${rows.map(({ code, status, title }) => `- ${status} \`${code}\`: ${title} (/problems/${code})`).join('\n')}\n`,
    json: JSON.stringify({ items: rows.map(({ code, status, title }) => ({ code, status, title })) }),
  }
}

function kindOf(code: ErrorCode): ProblemKind {
  return PROBLEMS[code]
}

function retrySentence(code: ErrorCode, { retryable, sideEffects, status }: ProblemKind): string {
  if (sideEffects === 'possible')
    return 'Not as it is: something may have been stored or changed. It is safe if the request had an `Idempotency-Key`, or `Producer-Id`, `-Epoch` and `-Seq`, from its first try on: then nothing is stored twice, and `retryable` is true.'
  if (retryable)
    return `Yes. Nothing was stored or changed, and the same request may succeed later${status === 503 ? ': wait as long as `Retry-After` says' : ''}.`
  const same =
    code === 'offset-mismatch' || code === 'etag-mismatch'
      ? 'The condition would fail again'
      : 'It would fail again'
  return `${same}: the request has to change first. Nothing was stored or changed.`
}
