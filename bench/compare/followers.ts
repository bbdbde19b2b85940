import { createInterface } from 'node:readline'
import { converse } from './programs.ts'
import type { Followers, LoadResult, Reading, System, Work } from './system.ts'

/** All is delivered when nothing came for so long. */
const SILENCE_MS = 500
const LOOK_EACH_MS = 50

/** A program that says a line of JSON when its subscribers read along, and one for each line that it is sent. */
export async function startFollowers(program: string, args: readonly string[]): Promise<Followers> {
  const { child, stop } = converse(program, args)
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<number> => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${program} ended.`)
    return (JSON.parse(value) as { delivered: number }).delivered
  }
  await next()
  const delivered = (): Promise<number> => {
    child.stdin.write('\n')
    return next()
  }
  return { delivered, stop }
}

export interface Delivered {
  readonly load: LoadResult
  readonly deliveries: number
  /** From the first produce to the last delivery. */
  readonly seconds: number
}

/** Produces while many read along, until all have what was acknowledged and nothing more comes. */
export async function deliverTo(
  reading: Omit<Reading, 'bytes'>,
  system: Required<Pick<System, 'follow' | 'load'>>,
  work: Work,
): Promise<Delivered> {
  const followers = await system.follow({ ...reading, bytes: work.bytes })
  try {
    const startMs = performance.now()
    const load = await system.load(work)
    let [deliveries, lastMs] = [await followers.delivered(), performance.now()]
    while (performance.now() - lastMs < SILENCE_MS) {
      await new Promise((done) => setTimeout(done, LOOK_EACH_MS))
      const now = await followers.delivered()
      if (now > deliveries) lastMs = performance.now()
      deliveries = now
    }
    return { load, deliveries, seconds: (lastMs - startMs) / 1000 }
  } finally {
    await followers.stop()
  }
}
