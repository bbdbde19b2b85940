/** Thrown when the program contradicts itself. A broker that meets one stops: a wrong replica is worse than a dead one. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** States what must be true here. `message` is one sentence that names the broken rule. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}

/** For the default branch of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new InvariantError(`Unexpected value ${JSON.stringify(value)}.`)
}
