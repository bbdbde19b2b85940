import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { asyncapiYaml } from '../ws/asyncapi.ts'
import { openapiYaml } from './document.ts'

/** `npm run openapi`: writes the documents that are checked in. The argument is the folder, else openapi. */
const folder = process.argv[2] ?? 'openapi'
for (const [name, text] of [
  ['openapi.yaml', openapiYaml()],
  ['asyncapi.yaml', asyncapiYaml()],
] as const) {
  const file = resolve(folder, name)
  writeFileSync(file, text)
  process.stdout.write(`Wrote ${file}\n`)
}
