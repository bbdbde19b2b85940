import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

/** Where the compiled tests and clients are. */
const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const MODULE = /^\/(clients\/typescript|test\/outside\/browser\/page)\/[\w/-]+\.js$/
const PAGE = '/test/outside/browser/page'

/** Modules of Node that the conformance cases name, and the conversation of theirs that needs a process. */
const IMPORTS = {
  'node:assert/strict': `${PAGE}/assert.js`,
  ws: `${PAGE}/ws.js`,
  '/clients/typescript/conformance/talk.js': `${PAGE}/talk.js`,
}

const HTML = `<!doctype html><meta charset="utf-8"><title>Synod in a page</title><link rel="icon" href="data:,">
<script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`

/** Serves an empty page, and the client's modules to it, from an origin that is not a broker's. */
export async function servePage(): Promise<{ readonly url: string; readonly close: () => void }> {
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    if (path === '/') return void response.writeHead(200, { 'content-type': 'text/html' }).end(HTML)
    if (!MODULE.test(path)) return void response.writeHead(404).end()
    readFile(ROOT + path.slice(1)).then(
      (code) => response.writeHead(200, { 'content-type': 'text/javascript' }).end(code),
      () => response.writeHead(404).end(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close().closeAllConnections() }
}
