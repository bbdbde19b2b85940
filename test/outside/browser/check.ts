import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChaosCluster } from '../../chaos/chaos-cluster.ts'
import { ConformanceCluster } from '../../clients/runner/conformance-cluster.ts'
import { runScript } from '../../clients/runner/run-script.ts'
import { PAGES_MAY_CALL, withCluster } from '../cluster.ts'
import { readEventsOverAKill } from '../events-scene.ts'
import { launchChromium } from './chromium.ts'
import { lookAtDocs } from './docs.ts'
import { servePage } from './page-server.ts'
import { openEvents } from './page-events.ts'
import { speakFromPage } from './page-calls.ts'
import type { CheckOutcome } from '../prepare.ts'

const SCRIPT = fileURLToPath(new URL('./client-script.js', import.meta.url))
const SILENCE_MS = 180_000

/** Chromium: its EventSource, WebSocket and fetch in a page of another origin, the TypeScript client there, and `/docs`. */
export async function checkWithBrowser(): Promise<CheckOutcome> {
  const browser = await launchChromium()
  const server = await servePage()
  const sentences: string[] = []
  const look = async (what: string, use: (cluster: ChaosCluster) => Promise<string>): Promise<void> => {
    const sentence = `${what}: ${await withCluster(use)}`
    console.log(sentence)
    sentences.push(sentence)
  }
  try {
    await look('EventSource', (cluster) =>
      readEventsOverAKill(cluster, (url) => openEvents(browser, server.url, url)),
    )
    await look('fetch and WebSocket', (cluster) => speakFromPage(browser, server.url, cluster))
    await look('/docs', (cluster) => lookAtDocs(browser, cluster.urls[0]!))
    sentences.push(`TypeScript client: ${await runClient()}`)
  } finally {
    await browser.close()
    server.close()
  }
  return { kind: 'passed', sentence: sentences.join('; ') }
}

/** The conformance cases, in a page; another Chromium, which ends with its script. */
async function runClient(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'synod-outside-'))
  const cluster = await ConformanceCluster.start(folder, PAGES_MAY_CALL)
  try {
    const { cases, faults } = await runScript({
      command: [process.execPath, SCRIPT, cluster.urls.join(',')],
      deeds: cluster,
      silenceMs: SILENCE_MS,
      onCase: ({ name, isPassed, detail }) =>
        console.log(`  ${name}: ${isPassed ? 'passed' : `FAILED, ${detail}`}`),
    })
    assert.deepEqual(faults, [])
    assert.deepEqual(
      cases.filter(({ isPassed }) => !isPassed),
      [],
    )
    return `${cases.length} of ${cases.length} cases passed`
  } finally {
    await cluster.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
