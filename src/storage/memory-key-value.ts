import { invariant } from '../types/invariant.ts'
import type { KeyRange, KeyValue, Operation, Pair, Scan } from './key-value.ts'

/**
 * LevelDB's twin in memory, for tests and the simulator. Keys are held as latin1 strings, whose order is the order of their
 * bytes. Nothing is lost by closing it: open the same object again to restart a broker.
 */
export class MemoryKeyValue implements KeyValue {
  #keys: string[] = []
  #pairs: Pair[] = []

  async batch(operations: readonly Operation[], _options: { readonly sync: boolean }): Promise<void> {
    for (const operation of operations) this.#change(operation)
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#find(key)
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return keys.map((key) => this.#find(key))
  }

  async scan(scan: Scan): Promise<readonly Pair[]> {
    invariant(scan.countMax >= 1, 'A scan reads at least one pair.')
    const low = this.#position(textOf(scan.from))
    const high = this.#position(textOf(scan.below))
    const found: Pair[] = []
    const step = scan.reverse === true ? -1 : 1
    const bytesMax = scan.bytesMax ?? Infinity
    let bytes = 0
    for (let at = step > 0 ? low : high - 1; at >= low && at < high; at += step) {
      const pair = this.#pairs[at]
      invariant(pair !== undefined, 'Keys and pairs have the same length.')
      found.push(pair)
      bytes += pair.key.length + pair.value.length
      if (found.length >= scan.countMax || bytes >= bytesMax) break
    }
    return found
  }

  async sizeOf(range: KeyRange): Promise<number> {
    let bytes = 0
    const high = this.#position(textOf(range.below))
    for (let at = this.#position(textOf(range.from)); at < high; at++) {
      const pair = this.#pairs[at]
      invariant(pair !== undefined, 'Keys and pairs have the same length.')
      bytes += pair.key.length + pair.value.length
    }
    return bytes
  }

  async compact(_range: KeyRange): Promise<void> {}

  async close(): Promise<void> {}

  /** A database of its own with the same pairs, such as what a disk holds at the moment of a crash. */
  copy(): MemoryKeyValue {
    const copy = new MemoryKeyValue()
    copy.#keys = this.#keys.slice()
    copy.#pairs = this.#pairs.slice()
    return copy
  }

  get pairCount(): number {
    return this.#pairs.length
  }

  #change(operation: Operation): void {
    const text = textOf(operation.key)
    const at = this.#position(text)
    const isThere = this.#keys[at] === text
    if (operation.type === 'del') {
      if (!isThere) return
      this.#keys.splice(at, 1)
      this.#pairs.splice(at, 1)
      return
    }
    const pair = { key: operation.key, value: operation.value }
    if (isThere) this.#pairs[at] = pair
    else if (at === this.#keys.length) {
      this.#keys.push(text)
      this.#pairs.push(pair)
    } else {
      this.#keys.splice(at, 0, text)
      this.#pairs.splice(at, 0, pair)
    }
  }

  #find(key: Uint8Array): Uint8Array | undefined {
    const text = textOf(key)
    const at = this.#position(text)
    return this.#keys[at] === text ? this.#pairs[at]?.value : undefined
  }

  /** Where the key stands, or would stand. Keys mostly grow, so the end is tried first. */
  #position(text: string): number {
    const keys = this.#keys
    const last = keys.at(-1)
    if (last === undefined || last < text) return keys.length
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((keys[middle] as string) < text) low = middle + 1
      else high = middle
    }
    return low
  }
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')
}
