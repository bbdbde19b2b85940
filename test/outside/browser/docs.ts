import assert from 'node:assert/strict'
import type { Browser } from './chromium.ts'

const PHONE = { width: 390, height: 844 }
const DESK = { width: 1280, height: 800 }
/** What the page shows of the document once it has read it. */
const IS_SHOWN = `document.body.innerText.includes('/v1/topics')`
const IDS_NOT_VISIBLE = `((ids) => ids.filter((id) => !document.getElementById(id)?.checkVisibility()))`
/** Whether a script that got into the page would run: its policy forbids all. */
const RUNS_A_SCRIPT = `{
  const script = document.createElement('script')
  script.textContent = 'globalThis.hasRun = true'
  document.body.append(script)
  globalThis.hasRun === true
}`

/** The reference that a broker serves: whole, without a word to another host, and readable on a phone. */
export async function lookAtDocs(browser: Browser, url: string): Promise<string> {
  const page = await browser.newPage()
  const complaints: string[] = []
  const requests: string[] = []
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => requests.push(request.url()))
  try {
    for (const size of [DESK, PHONE]) {
      await page.setViewportSize(size)
      await page.goto(`${url}/docs`)
      await page.waitForFunction(IS_SHOWN)
      const overflow = await page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      )
      assert.equal(overflow, 0, `At ${size.width} pixels it is ${overflow} too wide.`)
    }
    const missing = await page.evaluate<readonly string[]>(
      `${IDS_NOT_VISIBLE}(${JSON.stringify(await operationIds(url))})`,
    )
    assert.deepEqual(missing, [])
    assert.deepEqual(complaints, [])
    const foreign = requests.filter((each) => !each.startsWith(url) && !/^(data|blob):/.test(each))
    assert.deepEqual(foreign, [])
    assert.equal(
      await page.evaluate<boolean>(RUNS_A_SCRIPT),
      false,
      'The page runs a script that was put into it.',
    )
    return `every operation, shown at two widths, ${requests.length} requests, none to another host`
  } finally {
    await page.close()
  }
}

/** Those of the document that the same broker serves. */
async function operationIds(url: string): Promise<readonly string[]> {
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly operationId: string }>>>>
  }
  const ids = Object.values(document.paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  assert.ok(ids.length > 20, `The document has ${ids.length} operations.`)
  return ids
}
