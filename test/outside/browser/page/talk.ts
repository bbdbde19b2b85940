/** Stands for the conversation over standard input and output: the page tells the process that opened it. */
interface Page {
  /** Resolves when it is done, with 'done', or was taken down. */
  tell(line: string): Promise<string>
}

const page = globalThis as unknown as Page

export async function ask(deed: unknown): Promise<void> {
  const answer = await page.tell(JSON.stringify(deed))
  if (answer !== 'done') throw new Error(`The answer is '${answer}'.`)
}

export async function report(name: string, run: () => Promise<void>): Promise<void> {
  try {
    await run()
    await page.tell(JSON.stringify({ case: name, ok: true }))
  } catch (error) {
    await page.tell(JSON.stringify({ case: name, ok: false, detail: String(error) }))
  }
}
