import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'

import { openapiYaml } from './document.ts'

/** `npm run openapi`: writes the document that is checked in. The argument is the file, else openapi/openapi.yaml. */
const file = resolve(process.argv[2] ?? 'openapi/openapi.yaml')
writeFileSync(file, openapiYaml())
process.stdout.write(`Wrote ${file}\n`)
