import { SynodError } from '../../src/errors.ts'

/** A fault of the disk that the run made. */
export class DiskError extends Error {
  override readonly name = 'DiskError'
}

/** At a start with a store that is done with. */
export function isRemoval(error: unknown): boolean {
  return error instanceof SynodError && /was removed from the cluster/.test(error.message)
}

export function isDiskError(error: unknown): boolean {
  return error instanceof DiskError || (error instanceof Error && isDiskErrorCause(error))
}

function isDiskErrorCause({ cause }: Error): boolean {
  return cause !== undefined && isDiskError(cause)
}
