import { createInterface } from 'node:readline'

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

export type Deed =
  | { readonly event: 'kill-leader'; readonly topic: string; readonly partition: number }
  | { readonly event: 'stop-majority' }
  | { readonly event: 'start-all' }

/** Resolves when it is done. */
export async function ask(deed: Deed): Promise<void> {
  process.stdout.write(`${JSON.stringify(deed)}\n`)
  const { value } = await answers.next()
  if (value !== 'done') throw new Error(`The answer to ${deed.event} is '${String(value)}'.`)
}

/** Runs a case and says how it went. */
export async function report(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    process.stdout.write(`${JSON.stringify({ case: name, ok: true })}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    process.stdout.write(`${JSON.stringify({ case: name, ok: false, detail: String(error) })}\n`)
  }
}

/** No more answers are waited for, so the process may end. */
export function hangUp(): void {
  process.stdin.destroy()
}
