import { DELAY_BUCKETS, SubscriberSocket } from './subscriber-sockets.ts'

/** What the bench asks of a process that holds subscribers. Each is answered with the report of that moment. */
export type Order =
  | {
      readonly do: 'open'
      readonly url: string
      readonly count: number
      readonly isReading: boolean
      readonly localAddress: string
    }
  /** Those that did not read do so from now on. */
  | { readonly do: 'read-all' }
  /** Ends those that did not read in the beginning. */
  | { readonly do: 'end-idle' }
  | { readonly do: 'look' }
  /** As a look, and begins to count delays anew. */
  | { readonly do: 'report' }

export interface Report {
  /** Of readers alone: how many values came so many tenths of a millisecond after they were sent; pairs. */
  readonly delays: readonly (readonly [number, number])[]
  readonly readers: Group
  readonly idlers: Group
}

interface Group {
  readonly count: number
  readonly closedCount: number
  /** Close codes that were said, of those that were closed. */
  readonly closeCodes: readonly number[]
  readonly faultCount: number
  /** The lowest and highest number that comes next, among those that are open. */
  readonly nextLeast: number
  readonly nextMost: number
}

const OPENING_AT_ONCE = 100
const readers: SubscriberSocket[] = []
let idlers: SubscriberSocket[] = []
let delays = new Uint32Array(DELAY_BUCKETS)
const unmeasured = new Uint32Array(DELAY_BUCKETS)

async function open(order: Extract<Order, { do: 'open' }>): Promise<void> {
  for (let left = order.count; left > 0; left -= OPENING_AT_ONCE) {
    const sockets = Array.from(
      { length: Math.min(left, OPENING_AT_ONCE) },
      () =>
        new SubscriberSocket(order.url, order.localAddress, () => (order.isReading ? delays : unmeasured)),
    )
    await Promise.all(
      sockets.map(async (socket) => {
        await socket.opened
        if (!order.isReading) socket.pause()
      }),
    )
    ;(order.isReading ? readers : idlers).push(...sockets)
  }
}

function groupOf(sockets: readonly SubscriberSocket[]): Group {
  const nexts = sockets.filter(({ isClosed }) => !isClosed).map(({ next }) => next ?? 0)
  return {
    count: sockets.length,
    closedCount: sockets.filter(({ isClosed }) => isClosed).length,
    closeCodes: sockets.flatMap(({ closeCode }) => closeCode ?? []),
    faultCount: sockets.reduce((sum, { faultCount }) => sum + faultCount, 0),
    nextLeast: nexts.reduce((least, next) => Math.min(least, next), Infinity),
    nextMost: nexts.reduce((most, next) => Math.max(most, next), 0),
  }
}

function report(): Report {
  const pairs = [...delays].flatMap((count, tenths) => (count === 0 ? [] : [[tenths, count] as const]))
  return { delays: pairs, readers: groupOf(readers), idlers: groupOf(idlers) }
}

async function carryOut(order: Order): Promise<void> {
  if (order.do === 'open') await open(order)
  if (order.do === 'read-all') for (const socket of idlers) socket.resume()
  if (order.do === 'end-idle') {
    for (const socket of idlers) socket.end()
    idlers = []
  }
  process.send?.(report())
  if (order.do === 'report') delays = new Uint32Array(DELAY_BUCKETS)
}

process.on('message', (order: Order) => {
  carryOut(order).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
process.on('disconnect', () => process.exit(0))
