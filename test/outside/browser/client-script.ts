/** A conformance script (clients/CONFORMANCE.md) that runs the TypeScript client's cases in a page. The argument: the brokers' URLs. */
import { createInterface } from 'node:readline'
import { launchChromium } from './chromium.ts'
import { servePage } from './page-server.ts'

const CASES = `(async (urls) => {
  const at = '/clients/typescript/conformance/'
  const { ask, report } = await import(at + 'talk.js')
  const { recordCases } = await import(at + 'records.js')
  const { breakCases } = await import(at + 'breaks.js')
  const { errorCases } = await import(at + 'errors.js')
  for (const [name, run] of recordCases({ urls })) await report(name, run)
  for (const [name, run] of breakCases({ urls })) await report(name, run)
  await ask({ event: 'start-all' })
  for (const [name, run] of errorCases({ urls })) await report(name, run)
})`

const urls = (process.argv[2] ?? '').split(',')
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const server = await servePage()
const browser = await launchChromium()
const page = await browser.newPage()
page.on('pageerror', (error) => console.error(error))
await page.exposeFunction('tell', async (line) => {
  process.stdout.write(`${line}\n`)
  if (!('event' in (JSON.parse(line) as object))) return ''
  return String((await answers.next()).value)
})
await page.goto(server.url)
await page.evaluate(`${CASES}(${JSON.stringify(urls)})`)
await browser.close()
server.close()
process.stdin.destroy()
