/** The cases of clients/CONFORMANCE.md, for the TypeScript client. The argument: the brokers' URLs, with commas. */
import { breakCases } from './breaks.ts'
import { errorCases } from './errors.ts'
import { recordCases } from './records.ts'
import { ask, hangUp, report } from './talk.ts'

const urls = (process.argv[2] ?? '').split(',')
const shared = { urls }
for (const [name, run] of recordCases(shared)) await report(name, run)
for (const [name, run] of breakCases(shared)) await report(name, run)
await ask({ event: 'start-all' })
for (const [name, run] of errorCases(shared)) await report(name, run)
hangUp()
