import type { EventReader } from '../events-scene.ts'
import type { Browser } from './chromium.ts'

/** A page of that address, which reads by the browser's own EventSource. */
export async function openEvents(browser: Browser, pageUrl: string, url: string): Promise<EventReader> {
  const page = await browser.newPage()
  await page.goto(pageUrl)
  await page.evaluate(`{
    globalThis.seen = []
    globalThis.opened = 0
    globalThis.source = new EventSource(${JSON.stringify(url)})
    source.onopen = () => opened++
    source.onmessage = ({ data }) => seen.push(data)
  }`)
  return {
    seen: () => page.evaluate<readonly string[]>('seen'),
    openedCount: () => page.evaluate<number>('opened'),
    readyState: () => page.evaluate<number>('source.readyState'),
    close: () => page.close(),
  }
}
