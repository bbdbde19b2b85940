import { parentPort, workerData } from 'node:worker_threads'
import { invariant } from '../../src/types/invariant.ts'
import { BrokerProxy } from './broker-proxy.ts'
import { Link, type LinkFault } from './link.ts'
import type { Answer, Gate, NetworkOrder, NumberedOrder } from './network-orders.ts'

/** The links between all brokers and the proxies before them, in a thread of their own (`network.ts`). */
class Wires {
  readonly #proxies: ReadonlyMap<number, BrokerProxy>
  readonly #links = new Map<string, Link>()
  readonly #faults = new Map<number, LinkFault>()

  constructor(gates: readonly Gate[]) {
    this.#proxies = new Map(
      gates.map(({ id, port, targetPort }) => [
        id,
        new BrokerProxy({
          port,
          targetPort,
          linkFrom: (opener) => this.#link(opener, id),
          linkTo: (opener) => this.#link(id, opener),
        }),
      ]),
    )
  }

  async carryOut(order: NetworkOrder): Promise<void> {
    switch (order.kind) {
      case 'open':
        return this.#proxy(order.id).open()
      case 'refuse':
        return this.#proxy(order.id).refuse()
      case 'spoil':
        return this.#link(order.from, order.to).add(this.#fault(order))
      case 'mend':
        return this.#link(order.from, order.to).remove(this.#fault(order))
    }
  }

  /** One object for all links that it is on, though each order brings a copy. */
  #fault({ name, fault }: Extract<NetworkOrder, { readonly kind: 'spoil' | 'mend' }>): LinkFault {
    const known = this.#faults.get(name)
    if (known === undefined) this.#faults.set(name, fault)
    return known ?? fault
  }

  #proxy(id: number): BrokerProxy {
    const proxy = this.#proxies.get(id)
    invariant(proxy !== undefined, `There is no broker ${id}.`)
    return proxy
  }

  #link(from: number, to: number): Link {
    const name = `${from} to ${to}`
    let link = this.#links.get(name)
    if (link === undefined) this.#links.set(name, (link = new Link()))
    return link
  }
}

const port = parentPort
invariant(port !== null, 'The network runs in a thread of its own.')
const wires = new Wires(workerData as readonly Gate[])
port.on('message', ({ number, order }: NumberedOrder) => {
  wires.carryOut(order).then(
    () => port.postMessage({ number } satisfies Answer),
    (error: unknown) => port.postMessage({ number, error: String(error) } satisfies Answer),
  )
})
