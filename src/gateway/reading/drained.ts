import type { Writable } from 'node:stream'

/** Resolves when what was written has left the buffer, or when the reader is gone. */
export function drained(sink: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      sink.off('drain', settle)
      sink.off('close', settle)
      resolve()
    }
    sink.on('drain', settle)
    sink.on('close', settle)
    if (sink.destroyed) settle()
  })
}
