import type { Told } from './history.ts'

/** Longer than any broker lets a request wait. */
const PATIENCE_MS = 12_000
const REST_MS = 50

/** Numbers for the clients of all histories: whoever does not know what became of an operation goes on under a new one. */
export class Client {
  static #last = 0
  #number = ++Client.#last

  /** The number under which an operation with this outcome is written down. */
  next(told: Told): number {
    const number = this.#number
    if (told.outcome === 'unknown') this.#number = ++Client.#last
    return number
  }

  rest(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, REST_MS))
  }
}

export interface Answered {
  readonly status: number
  readonly body: Record<string, unknown>
}

/** 'unknown' when no answer came. */
export async function ask(url: string, init: RequestInit): Promise<Answered | 'unknown'> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE_MS) })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>) }
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } }
    // Nobody was there to take it.
    if (cause?.code === 'ECONNREFUSED') return { status: 0, body: { sideEffects: 'none' } }
    return 'unknown'
  }
}
