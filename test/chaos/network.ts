import { Worker } from 'node:worker_threads'
import { invariant } from '../../src/types/invariant.ts'
import type { LinkFault } from './link.ts'
import type { Answer, Gate, NetworkOrder, NumberedOrder } from './network-orders.ts'

interface OpenOrder {
  resolve(): void
  reject(error: Error): void
}

/**
 * The network between the brokers. It has a thread of its own: were it in that of the clients and of the checks, a machine that
 * is busy with these would cut all brokers off from each other, for as long as they ask. (Five brokers found no leader for
 * fourteen minutes, each with a processor that was idle.)
 */
export class Network {
  readonly #worker: Worker
  readonly #open = new Map<number, OpenOrder>()
  readonly #faultNames = new Map<LinkFault, number>()
  #count = 0

  constructor(gates: readonly Gate[]) {
    this.#worker = new Worker(new URL('./network-worker.js', import.meta.url), { workerData: gates })
    this.#worker.on('message', (answer: Answer) => this.#answered(answer))
    this.#worker.on('error', (error) => this.#failAll(error))
  }

  /** Resolves when connections to this broker are accepted. Call it when its process begins. */
  open(id: number): Promise<void> {
    return this.#order({ kind: 'open', id })
  }

  /** New connections to it are refused, as by a machine whose process is gone. What is under way goes its way. */
  refuse(id: number): Promise<void> {
    return this.#order({ kind: 'refuse', id })
  }

  spoil(from: number, to: number, fault: LinkFault): Promise<void> {
    const name = this.#faultNames.get(fault) ?? ++this.#count
    this.#faultNames.set(fault, name)
    return this.#order({ kind: 'spoil', from, to, fault, name })
  }

  mend(from: number, to: number, fault: LinkFault): Promise<void> {
    const name = this.#faultNames.get(fault)
    invariant(name !== undefined, 'Only what was spoiled is mended.')
    return this.#order({ kind: 'mend', from, to, fault, name })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
    this.#failAll(new Error('The network is closed.'))
  }

  #order(order: NetworkOrder): Promise<void> {
    const number = ++this.#count
    return new Promise((resolve, reject) => {
      this.#open.set(number, { resolve, reject })
      this.#worker.postMessage({ number, order } satisfies NumberedOrder)
    })
  }

  #answered({ number, error }: Answer): void {
    const open = this.#open.get(number)
    this.#open.delete(number)
    if (error === undefined) open?.resolve()
    else open?.reject(new Error(error))
  }

  #failAll(error: Error): void {
    for (const { reject } of this.#open.values()) reject(error)
    this.#open.clear()
  }
}
