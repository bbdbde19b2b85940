import { POST_LUA, programOf, run } from './programs.ts'
import type { LoadResult, Work } from './system.ts'

/** POSTs of one body, again and again, by wrk: it takes a tenth of the processor that a load written in Node takes. */
export async function wrk(
  request: { readonly url: string; readonly bodyFile: string; readonly contentType: string },
  { inFlight, seconds }: Pick<Work, 'inFlight' | 'seconds'>,
): Promise<LoadResult> {
  const program = programOf('wrk')
  if (program === undefined) throw new Error('wrk is missing: sh bench/peers/install.sh')
  const text = await run(
    program,
    ['-t1', `-c${inFlight}`, `-d${seconds}s`, '--timeout', '10s', '-s', POST_LUA, request.url],
    { BODY: request.bodyFile, TYPE: request.contentType },
  )
  const line = text.split('\n').find((each) => each.startsWith('{'))
  if (line === undefined) throw new Error(`wrk says no result: ${text}`)
  return JSON.parse(line) as LoadResult
}
