import assert from 'node:assert/strict'
import type { KeyValue, Pair } from '../../src/storage/key-value.ts'
import { recordKey } from '../../src/storage/keys.ts'

/** Every record of a journal. */
export async function recordsOf(journal: KeyValue): Promise<readonly Pair[]> {
  return await journal.scan({ from: recordKey(0), below: recordKey(2 ** 40), countMax: 100_000 })
}

/** Flips a bit in each journal record that holds the text, in the last byte of it. Returns how many do. */
export async function flipText(journal: KeyValue, text: string): Promise<number> {
  let count = 0
  for (const { key, value } of await recordsOf(journal)) {
    const at = Buffer.from(value).indexOf(text)
    if (at < 0) continue
    await putFlipped(journal, { key, value }, at + text.length - 1)
    count++
  }
  assert.ok(count > 0, `No record holds '${text}'.`)
  return count
}

export async function putFlipped(journal: KeyValue, { key, value }: Pair, at: number): Promise<void> {
  // A copy: what runs may hold views of the old value.
  const flipped = Buffer.from(value)
  flipped[at]! ^= 0x10
  await journal.batch([{ type: 'put', key, value: flipped }], { sync: true })
}
